// Every scenario of the core, explained: the reasons are the planners' own.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { ModuleStatus, NotReadyNode } from '../../../src/api/module.ts'
import { answersOf, readImages } from '../../../src/cli/input/images.ts'
import { readSeen, type Seen } from '../../../src/cli/input/seen.ts'
import { moduleController } from '../../../src/controllers/module.ts'
import { type Chain, explain } from '../../../src/core/explain/explain.ts'
import { linkNames } from '../../../src/core/explain/link.ts'
import { moduleKeys, moduleRows } from '../../../src/core/explain/node-row.ts'

const root = join(import.meta.dirname, '../../scenarios')
const folders = readdirSync(root, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
const io = {
  readStdin: () => Promise.resolve(''),
  out: () => {},
  err: (text: string) => assert.fail(text),
  terminal: undefined,
  stop: new AbortController().signal,
}

async function seenIn(folder: string): Promise<Seen> {
  const images = join(root, folder, 'images.yaml')
  const answer = answersOf(await readImages(existsSync(images) ? images : undefined, io), 'unknown')
  const options = { filename: [join(root, folder, 'observed.yaml')], operatorNamespace: 'openshift-kmm' }
  return readSeen(options, () => answer, io, {})
}

/** What the operator would write into the Module's status. */
const toldNodes = (seen: Seen, key: string): readonly NotReadyNode[] => {
  const status: ModuleStatus | undefined = moduleController.plan(seen.look, key, seen.context).status?.object.status
  return status?.notReadyNodes ?? []
}

function isChain({ links, break: found }: Chain): void {
  for (const link of links.slice(0, -1)) assert.equal(link.ok, true, link.link)
  assert.equal(links.at(-1)?.ok, found === undefined)
  assert.equal(links.at(-1)?.link, found?.link ?? 'device plugin')
  for (const { because, evidence } of links)
    for (const text of [because, ...evidence]) assert.doesNotMatch(text, /undefined|\[object/)
}

describe('an explanation of each scenario', () => {
  for (const folder of folders) {
    it(folder.replaceAll('-', ' '), async () => {
      const seen = await seenIn(folder)
      for (const key of moduleKeys(seen.look)) {
        const told = toldNodes(seen, key)
        const { rows } = moduleRows(seen.look, key, seen.context)
        for (const { name, reason, message } of told) {
          const row = rows.find(one => one.node === name)
          assert.deepEqual({ reason: row?.problem?.code, message: row?.problem?.message }, { reason, message })
        }
        for (const row of rows.filter(one => one.selected === 'yes' && one.state === 'loaded'))
          assert.equal(
            told.some(({ name }) => name === row.node),
            false,
            row.node,
          )

        const { chains } = explain(seen.look, key, undefined, seen.context)
        for (const chain of chains) {
          isChain(chain)
          if (chain.break !== undefined || chain.links.length > 1)
            assert.deepEqual(
              chain.links.map(link => link.link),
              linkNames.slice(0, chain.links.length),
            )
          const found = told.find(({ name }) => name === chain.node)
          // Only the explanation knows labels, DaemonSets and pods that are about to come, and what holds a change up as a whole.
          if (found === undefined || chain.break?.code === undefined || found.reason === 'Outdated') continue
          assert.deepEqual(
            { code: chain.break.code, because: chain.break.because },
            { code: found.reason, because: found.message },
          )
        }
      }
    })
  }
})
