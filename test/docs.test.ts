// Documents and code say the same: the catalogue of problems, commands and their flags, labels, decision records, links.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { failureNames, failures } from '../src/cli/simulate/failures.ts'
import * as names from '../src/core/names.ts'
import type { Entry } from '../src/core/problem-entry.ts'
import { problemTexts } from '../src/core/problem-texts.ts'
import { runKmm } from './cli/run-kmm.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const documents = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...markdownIn('docs')]

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return markdownIn(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

type Section = { readonly title: string; readonly text: string }

/** The sections below headings of one level, up to the next heading of this or a higher one. */
function sectionsOf(text: string, level: number): readonly Section[] {
  const isHeading = (line: string) => /^#{1,6} /.test(line) && line.indexOf(' ') <= level
  const sections: { title: string; lines: string[] }[] = []
  let isOpen = false
  for (const line of text.split('\n')) {
    if (isHeading(line)) {
      isOpen = line.indexOf(' ') === level
      if (isOpen) sections.push({ title: line.slice(level + 1), lines: [] })
    } else if (isOpen) sections.at(-1)?.lines.push(line)
  }
  return sections.map(({ title, lines }) => ({ title, text: lines.join('\n').trim() }))
}

describe('the reference of problems', () => {
  const sections = sectionsOf(read('docs/reference/problems.md'), 3)

  it('has each code once, in the order of the catalogue, and no other', () => {
    assert.deepEqual(
      sections.map(({ title }) => title),
      Object.keys(problemTexts),
    )
  })

  for (const [code, { todo, passing, retry, cases = [] }] of Object.entries<Entry>(problemTexts)) {
    it(`says of ${code} what it means and what to do, in the words of the catalogue`, () => {
      const text = sections.find(({ title }) => title === code)?.text ?? ''
      const [meaning = '', advice, special] = text.split('\n\n')
      assert.equal(advice, `What to do: ${todo}`)
      const listed = cases.map(one => `- Where the words are \`${one.says}\`: ${one.todo}`)
      assert.deepEqual(special?.split('\n').filter(line => line.startsWith('- ')) ?? [], listed)
      assert.match(meaning, /^[^\n]{30,}/)
      assert.equal(meaning.includes('*Ends by itself.*'), passing, 'Ends by itself')
      assert.equal(meaning.includes('*Tried again.*'), !passing && retry === 'backoff', 'Tried again')
    })
  }
})

const help = new Map<string, string>()
async function helpOf(command: string): Promise<string> {
  const known = help.get(command) ?? (await runKmm([...(command === '' ? [] : [command]), '--help'])).out
  help.set(command, known)
  return known
}
const listed = (await helpOf('')).replace(/^Examples:[\s\S]*/m, '')
const commands = [...listed.matchAll(/^ {2}([a-z][a-z0-9-]*) (?:\[|<|\w)/gm)].map(match => match[1] ?? '')
const flagsOf = async (command: string): Promise<readonly string[]> =>
  [...(await helpOf(command)).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].flatMap(match =>
    match[1] === '--help' ? [] : (match[1] ?? []),
  )

/** Flags have one spelling in the documents: the short one where there is one, but for these. */
const shortOf: Readonly<Record<string, string>> = { '--filename': '-f', '--namespace': '-n', '--output': '-o' }

describe('the reference of the command line', () => {
  const sections = sectionsOf(read('docs/reference/cli.md'), 2).filter(({ title }) => title.startsWith('kmm '))

  it('has a section for each command', () => {
    const described = sections.flatMap(({ title }) => title.split(' and ').map(part => part.replace(/^kmm /, '')))
    assert.deepEqual([...described].sort(), [...commands].sort())
  })

  for (const command of commands) {
    it(`names each flag of kmm ${command}, and no other`, async () => {
      const section = sections.find(({ title }) => new RegExp(`\\bkmm ${command}\\b`).test(title))?.text ?? ''
      const flags = await flagsOf(command)
      assert.deepEqual(
        flags.filter(flag => !new RegExp(`(^|[\\s\`[|])${shortOf[flag] ?? flag}\\b`, 'm').test(section)),
        [],
        'flags that the section does not name',
      )
      const named = [...section.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(match => match[0])
      const ofOthers = new Set(['--demo'])
      assert.deepEqual(
        named.filter(flag => !flags.includes(flag) && !ofOthers.has(flag)),
        [],
        'flags that the command does not have',
      )
    })
  }
})

describe('the table of failures of kmm simulate', () => {
  it('names each that --fail knows, with the reason that it shows', () => {
    const rows = [...read('docs/reference/cli.md').matchAll(/^\| `([a-z-]+)` \|.*\| `([A-Za-z]+)` \|$/gm)]
    assert.deepEqual(
      rows.map(([, failure, reason]) => `${failure} ${reason}`),
      failureNames.map(failure => `${failure} ${failures[failure].shows}`),
    )
  })
})

/** Lines of code, and inline code, that call kmm: what stands behind it. */
function callsIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh)?\n([\s\S]*?)^ *```$/gm)].flatMap(match => (match[1] ?? '').split('\n'))
  const indented = text.split('\n').filter(line => /^ {4,}(kmm|npm run -s kmm)/.test(line))
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(match => match[1] ?? '')
  return [...blocks, ...indented, ...inline].flatMap(line => {
    const call = /(?:^|[|;&]\s*|^\s*)(?:kubectl )?kmm ([^|;&#]+)/.exec(line.trim())?.[1]?.trim()
    return call === undefined || /^[A-Z]/.test(call) ? [] : [call]
  })
}

describe('the documents', () => {
  for (const file of documents) {
    it(`${file} calls only commands and flags that exist`, async () => {
      for (const call of callsIn(read(file))) {
        const [command = '', ...rest] = call.split(/\s+/)
        // `pause|resume` in a table stands for both.
        for (const name of command.split('|')) {
          if (name.startsWith('-')) continue
          assert.ok(commands.includes(name), `${file}: kmm ${call}`)
          const flags = [...(await flagsOf(name)), '--help', ...Object.values(shortOf)]
          const used = rest.map(word => word.replace(/^\[+/, '')).filter(word => /^--?[a-z]/.test(word))
          assert.deepEqual(
            used.filter(word => !flags.includes(word.replace(/[\]=].*$/, ''))),
            [],
            `${file}: kmm ${call}`,
          )
        }
      }
    })

    it(`${file} has no dead links`, () => {
      const text = read(file).replace(/^```[\s\S]*?^```$/gm, '')
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [path = '', anchor] = target.split('#')
        const found = path === '' ? file : join(dirname(file), path)
        assert.ok(existsSync(join(root, found)), `${file} -> ${target}`)
        if (anchor !== undefined) assert.ok(anchorsOf(read(found)).has(anchor), `${file} -> ${target}`)
      }
    })
  }
})

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#{1,6} (.+)$/gm)].map(match =>
      (match[1] ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

describe('the reference of labels', () => {
  it('names every key that KMM reads or writes, and no other', () => {
    const keys = [
      ...Object.values(names.labels),
      ...Object.values(names.annotations),
      names.podFinalizer,
      names.readyLabel('NS', 'NAME'),
      names.deprecatedReadyLabel('NAME'),
      names.pluginReadyLabel('NS', 'NAME'),
      names.deprecatedPluginReadyLabel('NAME'),
      names.heldLabel('NS', 'NAME'),
      names.userVersionLabel('NS', 'NAME'),
      names.loaderVersionLabel('NS', 'NAME'),
      names.pluginVersionLabel('NS', 'NAME'),
    ]
    const described = [...read('docs/reference/labels.md').matchAll(/^\| `([^`]+)`/gm)].map(match => match[1] ?? '')
    assert.deepEqual([...described].sort(), [...keys].sort())
  })
})

describe('the decision records', () => {
  const records = readdirSync(join(root, 'docs/decisions'))
    .filter(name => name.endsWith('.md'))
    .sort()

  it('are numbered without a gap, by the name and in the heading, and dated', () => {
    for (const [index, name] of records.entries()) {
      assert.equal(name.slice(0, 5), `${String(index + 1).padStart(4, '0')}-`, name)
      const [heading = '', , date = ''] = read(`docs/decisions/${name}`).split('\n')
      assert.match(heading, new RegExp(`^# ${index + 1}\\. \\S`), name)
      assert.match(date, /^\d{4}-\d\d-\d\d$/, name)
    }
  })
})
