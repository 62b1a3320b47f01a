// `kmm explain` for people: nodes with the same break are told once, with the chain of the first of them.
import type { Chain, Explanation } from '../../core/explain/explain.ts'
import type { Link } from '../../core/explain/link.ts'
import { printNames } from '../text-table.ts'

export function printExplanation(explanation: Explanation): string {
  const { module, chains, break: found, problems, left } = explanation
  const paragraphs: (readonly string[])[] = []
  if (found !== undefined) {
    paragraphs.push([`${capital(found.because)}.`, ...found.evidence.map(line => `  ${line}`), `What to do: ${found.todo}`])
  }
  if (chains.length > 1) paragraphs.push([sumOf(module, chains)])
  paragraphs.push(...groupsOf(chains).map(printGroup))
  const told = new Set(chains.flatMap(chain => chain.break?.code ?? []))
  for (const { code, message, todo } of problems)
    if (!told.has(code)) paragraphs.push([`Also: ${code}: ${oneLine(message)}`, `  ${todo}`])
  for (const { node, pod = '', state, problem } of left) {
    const why = problem === undefined ? '' : `: ${oneLine(problem.message)}`
    paragraphs.push([
      `Loader pod ${pod} on node ${node}, which the Module does not select: ${state}${why}`,
      ...(problem === undefined ? [] : [`  ${problem.todo}`]),
    ])
  }
  return paragraphs.map(lines => lines.map(line => `${line}\n`).join('')).join('\n')
}

function sumOf(module: string, chains: readonly Chain[]): string {
  const meant = chains.filter(chain => chain.meant === 'yes')
  return `${meant.filter(chain => chain.break === undefined).length} of ${meant.length} nodes have all of Module ${module}.`
}

/** Chains that break in the same way, those that break first. */
function groupsOf(chains: readonly Chain[]): readonly (readonly Chain[])[] {
  const groups = Map.groupBy(chains, ({ break: found }) =>
    found === undefined ? '' : `${found.link} ${found.code ?? found.todo}`,
  )
  const broken = [...groups].filter(([mark]) => mark !== '').map(([, group]) => group)
  const whole = groups.get('')
  // A whole chain is told only where nothing else is: else it is in the way.
  return broken.length === 0 && whole !== undefined ? [whole] : broken
}

function printGroup(group: readonly Chain[]): readonly string[] {
  const [first, ...others] = group
  if (first === undefined) return []
  const { break: found } = first
  const names = printNames(group.map(chain => chain.node))
  const reason = found?.code === undefined ? '' : ` (${found.code})`
  const heading =
    found === undefined ? `On ${names} every link holds:` : `On ${names} the chain breaks at: ${found.link}${reason}`
  return [
    heading,
    ...(others.length > 0 ? [`  as on ${first.node}:`] : []),
    ...first.links.flatMap(link => linkLines(link, found !== undefined)),
    ...(found === undefined ? [] : [`  What to do: ${found.todo}`]),
  ]
}

/** What a link rests on is told of the one that breaks; of a whole chain nothing needs it. */
function linkLines({ link, ok, because, evidence }: Link, isBroken: boolean): readonly string[] {
  const line = `  ${ok ? 'ok' : 'NO'}  ${link.padEnd(13)}  ${oneLine(because)}`
  return ok || !isBroken ? [line] : [line, ...evidence.map(fact => `        ${fact}`)]
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
