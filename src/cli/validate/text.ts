// Findings for people: one paragraph for each Module, errors first, each with its line in the file.
import { keyOf } from '../../core/object.ts'
import type { InputObject } from '../input/objects.ts'
import { pathOf } from '../input/shape.ts'
import type { Finding, Findings } from './findings.ts'

export function printFindingsAsText(findings: Findings, inputs: readonly InputObject[]): string {
  const sorted = inputs.toSorted((a, b) => (keyOf(a.object) < keyOf(b.object) ? -1 : 1))
  const paragraphs = sorted.map(input => {
    const of = (list: readonly Finding[]) => list.filter(finding => keyOf({ metadata: finding.object }) === keyOf(input.object))
    const lines = [...of(findings.errors).map(line('error', input)), ...of(findings.warnings).map(line('warning', input))]
    return lines.length === 0 ? `Module ${keyOf(input.object)}: fine\n` : `Module ${keyOf(input.object)}\n${lines.join('')}`
  })
  return `${paragraphs.join('')}${summaryOf(findings)}\n`
}

const line =
  (word: 'error' | 'warning', { source }: InputObject) =>
  ({ path, code, message }: Finding) =>
    `  ${word.padEnd(7)} ${source.file}:${source.line(pathOf(path))} ${path === '' ? '' : `${path}: `}${message} (${code})\n`

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`

function summaryOf({ errors, warnings }: Findings): string {
  const counts = `${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`
  return errors.length === 0 ? counts : `${counts}: the API server or the admission webhook would refuse this`
}
