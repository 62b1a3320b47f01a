// What a script is made of, in the words of POSIX "Shell Command Language" (XCU chapter 2).

export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'parameter'
      readonly name: string
      /** `length` is `${#name}`; the others are written as in the script. */
      readonly operator?: ParameterOperator
      readonly word?: Word
      readonly quoted: boolean
    }
  | { readonly kind: 'command'; readonly script: Script; readonly quoted: boolean }
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly quoted: boolean }

export type ParameterOperator = 'length' | ':-' | '-' | ':=' | '=' | ':?' | '?' | ':+' | '+' | '#' | '##' | '%' | '%%'

export type Word = readonly WordPart[]

export type Redirection = {
  readonly fd: number
  readonly operator: '<' | '>' | '>>' | '>|' | '<>' | '>&' | '<&'
  readonly target: Word
}

export type Assignment = { readonly name: string; readonly value: Word }

export type Command =
  | {
      readonly kind: 'simple'
      readonly line: number
      readonly assignments: readonly Assignment[]
      readonly words: readonly Word[]
      readonly redirections: readonly Redirection[]
    }
  | { readonly kind: 'group'; readonly body: Script; readonly redirections: readonly Redirection[] }
  | { readonly kind: 'subshell'; readonly body: Script; readonly redirections: readonly Redirection[] }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly condition: Script; readonly body: Script }[]
      readonly otherwise?: Script
      readonly redirections: readonly Redirection[]
    }
  | {
      readonly kind: 'loop'
      readonly until: boolean
      readonly condition: Script
      readonly body: Script
      readonly redirections: readonly Redirection[]
    }
  | {
      readonly kind: 'for'
      readonly name: string
      /** Absent: the positional parameters. */
      readonly words?: readonly Word[]
      readonly body: Script
      readonly redirections: readonly Redirection[]
    }
  | {
      readonly kind: 'case'
      readonly word: Word
      readonly branches: readonly { readonly patterns: readonly Word[]; readonly body: Script }[]
      readonly redirections: readonly Redirection[]
    }
  | { readonly kind: 'function'; readonly name: string; readonly body: Command }

export type Pipeline = { readonly negated: boolean; readonly commands: readonly Command[] }

export type AndOr = {
  readonly first: Pipeline
  readonly rest: readonly { readonly when: '&&' | '||'; readonly pipeline: Pipeline }[]
  readonly background: boolean
}

export type Script = readonly AndOr[]

export class SyntaxProblem extends Error {
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}
