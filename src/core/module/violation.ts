// What a check found wrong in an object that a user wrote.

export type Violation = {
  /** One word that stays the same for one rule. */
  readonly code: string
  /** `spec.moduleLoader.container.kernelMappings[0].regexp`; keys with dots or slashes as `spec.selector["a.b/c"]`. */
  readonly path: string
  /** One sentence without a full stop: what is wrong, and what to do. */
  readonly message: string
}

export type Step = string | number

export function printPath(steps: readonly Step[]): string {
  return steps.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

export const quoted = (value: string): string => JSON.stringify(value)

/** `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
