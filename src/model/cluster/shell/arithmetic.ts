// `$((...))`: the integer arithmetic of C, with variables by name (POSIX XCU 2.6.4).

export type Variables = { get(name: string): string; set(name: string, value: string): void }

/** Lowest precedence first. */
const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** Throws an Error with the shell's words when it is no expression. */
export function calculate(expression: string, variables: Variables): number {
  const tokens =
    expression.match(
      /[A-Za-z_][A-Za-z0-9_]*|0[xX][0-9a-fA-F]+|[0-9]+|<<=|>>=|[-+*/%&|^]=(?!=)|\|\||&&|[=!<>]=|<<|>>|[-+*/%()<>=!~&|^?:]|\S/g,
    ) ?? []
  let at = 0
  const take = (token: string) => {
    if (tokens[at] !== token) return false
    at++
    return true
  }
  const fail = (): never => {
    throw new Error(`arithmetic expression: expecting primary: "${expression}"`)
  }

  const primary = (): number => {
    const token = tokens[at++]
    if (token === undefined) return fail()
    if (token === '(') {
      const value = assignment()
      if (!take(')')) fail()
      return value
    }
    if (token === '-') return -primary()
    if (token === '+') return primary()
    if (token === '!') return primary() === 0 ? 1 : 0
    if (token === '~') return ~primary()
    if (/^[0-9]/.test(token)) return parseNumber(token)
    if (/^[A-Za-z_]/.test(token)) return numberOf(token)
    return fail()
  }
  const numberOf = (name: string): number => {
    const value = variables.get(name).trim()
    if (value === '') return 0
    if (!/^[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(value)) throw new Error(`Illegal number: ${value}`)
    return value.startsWith('-') ? -parseNumber(value.slice(1)) : parseNumber(value.replace(/^\+/, ''))
  }
  const binary = (level: number): number => {
    const operators = levels[level]
    if (operators === undefined) return primary()
    let value = binary(level + 1)
    for (let operator = tokens[at]; operator !== undefined && operators.includes(operator); operator = tokens[at]) {
      at++
      value = operate(operator, value, binary(level + 1))
    }
    return value
  }
  const conditional = (): number => {
    const condition = binary(0)
    if (!take('?')) return condition
    const yes = assignment()
    if (!take(':')) fail()
    const no = conditional()
    return condition === 0 ? no : yes
  }
  const assignment = (): number => {
    const name = tokens[at]
    const operator = tokens[at + 1]
    if (name === undefined || operator === undefined || !/^[A-Za-z_]/.test(name) || !/^([-+*/%&|^]|<<|>>)?=$/.test(operator))
      return conditional()
    at += 2
    const right = assignment()
    const value = operator === '=' ? right : operate(operator.slice(0, -1), numberOf(name), right)
    variables.set(name, String(value))
    return value
  }

  if (tokens.length === 0) return 0
  const value = assignment()
  if (at < tokens.length) throw new Error(`arithmetic expression: expecting EOF: "${expression}"`)
  return value
}

const parseNumber = (text: string): number =>
  /^0[xX]/.test(text) ? Number.parseInt(text, 16) : text.startsWith('0') ? Number.parseInt(text, 8) : Number.parseInt(text, 10)

const one = (yes: boolean): number => (yes ? 1 : 0)

function operate(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
    case '%':
      if (right === 0) throw new Error('arithmetic expression: division by zero')
      return operator === '/' ? Math.trunc(left / right) : left % right
    case '<<':
      return left << right
    case '>>':
      return left >> right
    case '&':
      return left & right
    case '|':
      return left | right
    case '^':
      return left ^ right
    case '&&':
      return one(left !== 0 && right !== 0)
    case '||':
      return one(left !== 0 || right !== 0)
    case '==':
      return one(left === right)
    case '!=':
      return one(left !== right)
    case '<':
      return one(left < right)
    case '>':
      return one(left > right)
    case '<=':
      return one(left <= right)
    default:
      return one(left >= right)
  }
}
