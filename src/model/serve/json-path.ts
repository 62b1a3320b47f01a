// The part of JSONPath that printer columns use: fields, indexes, `[*]` and filters such as `[?(@.type=="Ready")]`.
// Source: Kubernetes documentation, "JSONPath Support"; CustomResourceDefinition reference, additionalPrinterColumns.
import { isJson } from '../api/json.ts'

type Step = (values: readonly unknown[]) => readonly unknown[]

const field =
  (name: string): Step =>
  values =>
    values.flatMap(value => (isJson(value) && value[name] !== undefined ? [value[name]] : []))

const all: Step = values => values.flatMap(value => (Array.isArray(value) ? value : isJson(value) ? Object.values(value) : []))

const at =
  (index: number): Step =>
  values =>
    values.flatMap(value => {
      const found: unknown = Array.isArray(value) ? value.at(index) : undefined
      return found === undefined ? [] : [found]
    })

const where =
  (path: Step, operator: string, literal: unknown): Step =>
  values =>
    values.flatMap(value =>
      (Array.isArray(value) ? value : []).filter(item => {
        const [found] = path([item])
        return operator === '!=' ? found !== literal : found === literal
      }),
    )

/** `.name`, `.a\.b`, `['name']`, `[0]`, `[*]`, `[?(@.name=="literal")]`. */
const stepPattern =
  /\.(?<name>(?:\\.|[^.[\\])+)|\[(?:'(?<quoted>[^']*)'|"(?<double>[^"]*)"|(?<index>-?\d+)|(?<star>\*)|\?\(\s*@(?<filter>[^=!]+?)\s*(?<operator>==|!=)\s*(?<literal>[^)]+?)\s*\))\]/y

function literalOf(text: string): unknown {
  if (/^(["']).*\1$/.test(text)) return text.slice(1, -1)
  return text === 'true' ? true : text === 'false' ? false : Number(text)
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): Step {
  const { name, quoted, double, index, filter, operator, literal } = groups
  const word = name?.replace(/\\(.)/g, '$1') ?? quoted ?? double
  if (word !== undefined) return word === '*' ? all : field(word)
  if (index !== undefined) return at(Number(index))
  if (filter !== undefined) return where(compileJsonPath(filter) ?? (() => []), operator ?? '==', literalOf(literal ?? ''))
  return all
}

/** A function to what the path finds, in order; undefined when we cannot read the path. */
export function compileJsonPath(path: string): Step | undefined {
  const plain = path.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, '')
  const text = /^[.[]/.test(plain) ? plain : `.${plain}`
  const steps: Step[] = []
  const pattern = new RegExp(stepPattern)
  while (pattern.lastIndex < text.length) {
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) return undefined
    steps.push(stepOf(groups))
  }
  return values => steps.reduce((found, step) => step(found), values)
}
