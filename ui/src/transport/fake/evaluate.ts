import { tokens, type Token } from '../../lib/expression'

/** What an expression can name. */
export type Scope = Record<string, unknown>

/** A mistake in an expression: at which character, from 1. */
export class Mistake extends Error {
  constructor(
    readonly column: number,
    message: string,
  ) {
    super(message)
  }
}

/** A little of MiniJinja: enough for the conditions and texts that a person makes in the window. */
export function evaluate(text: string, scope: Scope): unknown {
  const all = tokens(text)
  if (!all) throw new Mistake(1, 'unexpected character')
  const parser = new Parser(all, text.length, scope)
  const value = parser.expression()
  parser.end()
  return value
}

/** A template with expressions in it. */
export function render(template: string, scope: Scope): string {
  return template.replace(/\{\{([^]*?)(?:\}\}|$)/g, (whole, inside: string, at: number) => {
    if (!whole.endsWith('}}')) throw new Mistake(template.length + 1, 'unexpected end of input, expected end of variable block')
    try {
      return show(evaluate(inside, scope))
    } catch (thrown) {
      throw thrown instanceof Mistake ? new Mistake(thrown.column + at + 2, thrown.message) : thrown
    }
  })
}

export function truth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value !== null && typeof value === 'object') return Object.keys(value).length > 0
  return Boolean(value)
}

function show(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right) && typeof left === typeof right
const comparable = (left: unknown, right: unknown): boolean => typeof left === typeof right && (typeof left === 'number' || typeof left === 'string')

const COMPARE: Record<string, (left: never, right: never) => boolean> = {
  '==': same,
  '!=': (left, right) => !same(left, right),
  '>=': (left, right) => comparable(left, right) && left >= right,
  '<=': (left, right) => comparable(left, right) && left <= right,
  '>': (left, right) => comparable(left, right) && left > right,
  '<': (left, right) => comparable(left, right) && left < right,
}

function within(part: unknown, whole: unknown): boolean {
  if (Array.isArray(whole)) return whole.some((element) => same(element, part))
  if (typeof whole === 'string') return whole.includes(show(part))
  return whole !== null && typeof whole === 'object' && Object.hasOwn(whole, show(part))
}

const FILTERS: Record<string, (value: unknown, ...rest: never[]) => unknown> = {
  default: (value, other: unknown) => (value === undefined || value === null || value === '' ? other : value),
  truncate: (value, length: number) => (show(value).length > length ? `${show(value).slice(0, length - 1)}…` : show(value)),
  striptags: (value) => show(value).replace(/<[^>]*>/g, ''),
  join: (value, separator: string) => (Array.isArray(value) ? value.map(show).join(separator) : show(value)),
  part: (value, separator: string, number: number) => show(value).split(separator)[number] ?? '',
  upper: (value) => show(value).toUpperCase(),
  lower: (value) => show(value).toLowerCase(),
  tojson: (value) => JSON.stringify(value),
  b64decode: (value) => {
    try {
      return atob(show(value))
    } catch {
      throw new Error('b64decode: not base64')
    }
  },
}

class Parser {
  #at = 0

  constructor(
    readonly all: Token[],
    readonly length: number,
    readonly scope: Scope,
  ) {}

  #wrong(expected: string): never {
    const token = this.all[this.#at]
    const found = token ? `“${token.text}”` : 'end of input'
    throw new Mistake((token?.start ?? this.length) + 1, `unexpected ${found}, expected ${expected}`)
  }

  #next(...texts: string[]): string | undefined {
    const token = this.all[this.#at]
    if (!token || token.kind === 'string' || !texts.includes(token.text)) return undefined
    this.#at += 1
    return token.text
  }

  #need(text: string): void {
    if (!this.#next(text)) this.#wrong(`“${text}”`)
  }

  end(): void {
    if (this.#at < this.all.length) this.#wrong('end of expression')
  }

  expression(): unknown {
    const value = this.#or()
    if (!this.#next('if')) return value
    const condition = this.#or()
    const other = this.#next('else') ? this.expression() : undefined
    return truth(condition) ? value : other
  }

  #or(): unknown {
    let value = this.#and()
    while (this.#next('or')) {
      const right = this.#and()
      value = truth(value) ? value : right
    }
    return value
  }

  #and(): unknown {
    let value = this.#not()
    while (this.#next('and')) {
      const right = this.#not()
      value = truth(value) ? right : value
    }
    return value
  }

  #not(): unknown {
    return this.#next('not') ? !truth(this.#not()) : this.#compare()
  }

  #compare(): unknown {
    let left = this.#unary()
    let result: boolean | undefined
    for (;;) {
      const sign = this.#next(...Object.keys(COMPARE), 'in', 'not')
      if (sign === undefined) return result ?? left
      if (sign === 'not') this.#need('in')
      const right = this.#unary()
      const holds = sign === 'in' ? within(left, right) : sign === 'not' ? !within(left, right) : (COMPARE[sign]?.(left as never, right as never) ?? false)
      result = (result ?? true) && holds
      left = right
    }
  }

  #unary(): unknown {
    if (this.#next('-')) return -(this.#postfix() as number)
    let value = this.#postfix()
    for (;;) {
      if (this.#next('|')) value = this.#filter(value)
      else if (this.#next('is')) value = this.#test(value)
      else return value
    }
  }

  #filter(value: unknown): unknown {
    const name = this.all[this.#at]
    const filter = name && Object.hasOwn(FILTERS, name.text) ? FILTERS[name.text] : undefined
    if (!filter) throw new Mistake((name?.start ?? this.length) + 1, `unknown filter “${name?.text ?? ''}”`)
    this.#at += 1
    return filter(value, ...(this.#arguments() as never[]))
  }

  #arguments(): unknown[] {
    const values: unknown[] = []
    if (!this.#next('(')) return values
    while (!this.#next(')')) {
      values.push(this.expression())
      if (!this.#next(',') && this.all[this.#at]?.text !== ')') this.#wrong('“)”')
    }
    return values
  }

  #test(value: unknown): boolean {
    const not = this.#next('not') !== undefined
    const name = this.all[this.#at++]?.text ?? ''
    const bare = this.all[this.#at]?.kind === 'string'
    const [argument] = bare ? [this.#postfix()] : this.#arguments()
    const tests: Record<string, () => boolean> = {
      defined: () => value !== undefined,
      undefined: () => value === undefined,
      none: () => value === null,
      true: () => value === true,
      false: () => value === false,
      string: () => typeof value === 'string',
      startingwith: () => show(value).startsWith(show(argument)),
      endingwith: () => show(value).endsWith(show(argument)),
    }
    const test = tests[name]
    if (!test) {
      this.#at -= 1
      this.#wrong('the name of a test')
    }
    return test() !== not
  }

  #postfix(): unknown {
    let value = this.#primary()
    for (;;) {
      if (this.#next('.')) value = at(value, this.all[this.#at++]?.text)
      else if (this.#next('[')) {
        value = at(value, this.expression())
        this.#need(']')
      } else return value
    }
  }

  #primary(): unknown {
    const token = this.all[this.#at]
    if (!token) this.#wrong('expression')
    this.#at += 1
    if (token.kind === 'string') return token.value
    if (token.kind === 'number') return Number(token.text)
    if (token.text === '(') {
      const value = this.expression()
      this.#need(')')
      return value
    }
    if (token.text === '[') {
      const values: unknown[] = []
      while (!this.#next(']')) {
        values.push(this.expression())
        if (!this.#next(',') && this.all[this.#at]?.text !== ']') this.#wrong('“]”')
      }
      return values
    }
    const known: Scope = { true: true, True: true, false: false, False: false, none: null, None: null }
    if (Object.hasOwn(known, token.text)) return known[token.text]
    if (token.kind === 'name' && Object.hasOwn(this.scope, token.text)) return this.scope[token.text]
    this.#at -= 1
    if (token.kind === 'name') throw new Mistake(token.start + 1, `unknown name “${token.text}”`)
    return this.#wrong('expression')
  }
}

function at(value: unknown, key: unknown): unknown {
  if (value === null || typeof value !== 'object') return undefined
  return Object.hasOwn(value, key as string) ? (value as Record<string, unknown>)[key as string] : undefined
}
