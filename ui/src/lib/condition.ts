import { pathText, quote, tokens, type Token } from './expression'

/** What a row compares with, as written in the language: a number keeps all of its digits. */
export type Literal = { kind: 'text'; text: string } | { kind: 'number'; text: string } | { kind: 'flag'; on: boolean } | { kind: 'nothing' }

export type Operator = 'is' | 'is_not' | 'at_least' | 'at_most' | 'more' | 'less' | 'contains' | 'lacks' | 'begins' | 'ends' | 'one_of' | 'none_of' | 'there' | 'missing' | 'yes' | 'no' | 'filled' | 'empty'

/** `field · operator · value`. */
export interface Row {
  kind: 'row'
  path: (string | number)[]
  operator: Operator
  /** One for most operators, any number for lists, none for some. */
  values: Literal[]
}

/** A part that no row can hold, as written. */
export interface Text {
  kind: 'text'
  text: string
}

/** Parts of which all must hold, or any. */
export interface Group {
  kind: 'group'
  join: 'all' | 'any'
  parts: Part[]
}

export type Part = Row | Text | Group

/** How many groups may stand within each other; deeper ones are kept as text. */
export const MAX_DEPTH = 2

export const NAMES: readonly string[] = ['event', 'id', 'data', 'raw', 'feed', 'received_at']

const COMPARED: Record<string, [Operator, Operator]> = {
  // Each with what it is the other way round: `4 <= data.n` is `data.n >= 4`.
  '==': ['is', 'is'],
  '!=': ['is_not', 'is_not'],
  '>=': ['at_least', 'at_most'],
  '<=': ['at_most', 'at_least'],
  '>': ['more', 'less'],
  '<': ['less', 'more'],
}
const SIGNS: Partial<Record<Operator, string>> = { is: '==', is_not: '!=', at_least: '>=', at_most: '<=', more: '>', less: '<' }
// Only where the opposite is the same for a value that is missing, too.
const OPPOSITES: Partial<Record<Operator, Operator>> = {
  is: 'is_not',
  is_not: 'is',
  contains: 'lacks',
  lacks: 'contains',
  one_of: 'none_of',
  none_of: 'one_of',
  there: 'missing',
  missing: 'there',
  filled: 'empty',
  empty: 'filled',
}
/** Operators that compare with nothing. */
export const ALONE: readonly Operator[] = ['there', 'missing', 'yes', 'no', 'filled', 'empty']
/** Operators that compare with several values. */
export const SEVERAL: readonly Operator[] = ['one_of', 'none_of']

// Reading

/** A condition in rows; `undefined` if it has to stay a text: nothing of it fits a row, or it is not written right. */
export function parse(text: string): Group | undefined {
  if (text.trim() === '') return { kind: 'group', join: 'all', parts: [] }
  const all = tokens(text)
  if (!all || !balanced(all)) return undefined
  const part = new Reader(text).part(all, 0)
  const group: Group = part.kind === 'group' ? part : { kind: 'group', join: 'all', parts: [part] }
  return rows(group).length > 0 ? group : undefined
}

/** The rows of a group and of those within it. */
export function rows(group: Group): Row[] {
  return group.parts.flatMap((part) => (part.kind === 'row' ? [part] : part.kind === 'group' ? rows(part) : []))
}

const OPEN: Record<string, string> = { '(': ')', '[': ']', '{': '}' }

function balanced(all: Token[]): boolean {
  const open: string[] = []
  for (const { kind, text } of all) {
    if (kind !== 'mark') continue
    const close = OPEN[text]
    if (close) open.push(close)
    else if (')]}'.includes(text) && open.pop() !== text) return false
  }
  return open.length === 0
}

/** Each token that stands in no brackets. */
function outside(all: Token[]): { token: Token; at: number }[] {
  let depth = 0
  return all.flatMap((token, at) => {
    const mark = token.kind === 'mark'
    if (mark && token.text in OPEN) return depth++ === 0 ? [{ token, at }] : []
    if (mark && ')]}'.includes(token.text)) return --depth === 0 ? [{ token, at }] : []
    return depth === 0 ? [{ token, at }] : []
  })
}

/** Where a word of the language stands outside of brackets, and is no key such as in `data.or`. */
function words(all: Token[], ...wanted: string[]): number[] {
  return outside(all)
    .filter(({ token, at }) => token.kind === 'name' && wanted.includes(token.text) && all[at - 1]?.text !== '.')
    .map(({ at }) => at)
}

function split(all: Token[], at: number[]): Token[][] {
  return [...at, all.length].map((end, index) => all.slice(index === 0 ? 0 : (at[index - 1] ?? 0) + 1, end))
}

class Reader {
  constructor(readonly source: string) {}

  part(all: Token[], depth: number): Part {
    const inner = unwrapped(all)
    if (words(inner, 'if').length === 0) {
      // `or` binds loosest, then `and`.
      for (const [word, join] of [['or', 'any'], ['and', 'all']] as const) {
        const at = words(inner, word)
        if (at.length > 0) return depth < MAX_DEPTH ? this.#group(join, split(inner, at), depth) : this.#text(inner)
      }
    }
    return this.#row(inner) ?? this.#text(inner)
  }

  #group(join: Group['join'], pieces: Token[][], depth: number): Part {
    if (pieces.some((piece) => piece.length === 0)) return this.#text(pieces.flat())
    const parts = pieces.map((piece) => this.part(piece, depth + 1))
    // Both `and` and `or` may be written with or without brackets among their like.
    return { kind: 'group', join, parts: parts.flatMap((part) => (part.kind === 'group' && part.join === join ? part.parts : [part])) }
  }

  #text(all: Token[]): Text {
    return { kind: 'text', text: this.source.slice(all[0]?.start ?? 0, all.at(-1)?.end ?? this.source.length) }
  }

  #row(all: Token[]): Row | undefined {
    if (all[0]?.kind === 'name' && all[0].text === 'not') {
      const inner = this.#row(unwrapped(all.slice(1)))
      const operator = inner && OPPOSITES[inner.operator]
      return operator && { ...inner, operator }
    }
    return tested(all) ?? compared(all)
  }
}

/** Without the brackets around all of it. */
function unwrapped(all: Token[]): Token[] {
  let inner = all
  while (inner[0]?.text === '(' && inner[0].kind === 'mark' && outside(inner).map(({ at }) => at).join() === `0,${inner.length - 1}`) {
    inner = inner.slice(1, -1)
  }
  return inner
}

/** `path is …`. */
function tested(all: Token[]): Row | undefined {
  const [at, more] = words(all, 'is')
  if (at === undefined || more !== undefined) return undefined
  const path = pathOf(all.slice(0, at))
  if (!path) return undefined
  const test = all.slice(at + 1).map((token) => (token.kind === 'string' ? token : token.text))
  const row = (operator: Operator, values: Literal[] = []): Row => ({ kind: 'row', path, operator, values })
  switch (test.filter((token) => typeof token === 'string').join(' ')) {
    case 'defined':
    case 'not undefined':
      return test.length < 3 ? row('there') : undefined
    case 'not defined':
    case 'undefined':
      return test.length < 3 ? row('missing') : undefined
    case 'true':
      return row('yes')
    case 'false':
      return row('no')
    case 'none':
      return row('is', [{ kind: 'nothing' }])
    case 'not none':
      return row('is_not', [{ kind: 'nothing' }])
  }
  const [name, ...rest] = test
  const operator = name === 'startingwith' ? 'begins' : name === 'endingwith' ? 'ends' : undefined
  const value = rest.length === 3 && rest[0] === '(' && rest[2] === ')' ? rest[1] : rest.length === 1 ? rest[0] : undefined
  return operator && typeof value === 'object' ? row(operator, [{ kind: 'text', text: value.value }]) : undefined
}

/** `path`, `path == literal`, `literal in path`, `path in [literal, …]`. */
function compared(all: Token[]): Row | undefined {
  const alone = pathOf(all)
  if (alone) return { kind: 'row', path: alone, operator: 'filled', values: [] }
  const signs = outside(all).filter(({ token, at }) =>
    token.kind === 'mark' ? token.text in COMPARED : token.kind === 'name' && token.text === 'in' && all[at - 1]?.text !== '.',
  )
  const [sign, more] = signs
  if (!sign || more) return undefined
  const within = sign.token.text === 'in'
  const not = within && all[sign.at - 1]?.text === 'not' && all[sign.at - 1]?.kind === 'name'
  const [left, right] = [all.slice(0, not ? sign.at - 1 : sign.at), all.slice(sign.at + 1)]
  const row = (path: Row['path'], operator: Operator, values: Literal[]): Row => ({ kind: 'row', path, operator, values })
  const [from, to] = [pathOf(left), pathOf(right)]
  const [before, after] = [literalOf(left), literalOf(right)]
  if (within) {
    const list = from && listOf(right)
    if (from && list) return row(from, not ? 'none_of' : 'one_of', list)
    return to && before ? row(to, not ? 'lacks' : 'contains', [before]) : undefined
  }
  const [forward, backward] = COMPARED[sign.token.text] ?? []
  if (from && after && forward) return row(from, forward, [after])
  return to && before && backward ? row(to, backward, [before]) : undefined
}

function pathOf(all: Token[]): Row['path'] | undefined {
  const [name, ...rest] = all
  if (name?.kind !== 'name' || !NAMES.includes(name.text)) return undefined
  const path: Row['path'] = [name.text]
  for (let at = 0; at < rest.length; ) {
    const [mark, key, close] = rest.slice(at, at + 3)
    if (key === undefined) return undefined
    const place = key.kind === 'number' && /^(0|[1-9]\d{0,8})$/.test(key.text) ? Number(key.text) : undefined
    if (mark?.text === '.' && (key.kind === 'name' || place !== undefined)) {
      path.push(place ?? key.text)
      at += 2
    } else if (mark?.text === '[' && close?.text === ']' && (key.kind === 'string' || place !== undefined)) {
      path.push(place ?? key.value)
      at += 3
    } else {
      return undefined
    }
  }
  return path
}

const FLAGS: Record<string, Literal> = {
  true: { kind: 'flag', on: true },
  True: { kind: 'flag', on: true },
  false: { kind: 'flag', on: false },
  False: { kind: 'flag', on: false },
  none: { kind: 'nothing' },
  None: { kind: 'nothing' },
}

function literalOf(all: Token[]): Literal | undefined {
  const [first, second, ...rest] = all
  if (!first || rest.length > 0) return undefined
  if (first.text === '-' && first.kind === 'mark') return second?.kind === 'number' ? { kind: 'number', text: `-${second.text}` } : undefined
  if (second) return undefined
  if (first.kind === 'string') return { kind: 'text', text: first.value }
  if (first.kind === 'number') return { kind: 'number', text: first.text }
  return first.kind === 'name' && Object.hasOwn(FLAGS, first.text) ? FLAGS[first.text] : undefined
}

function listOf(all: Token[]): Literal[] | undefined {
  if (all[0]?.text !== '[' || all.at(-1)?.text !== ']' || outside(all).length !== 2) return undefined
  const inside = all.slice(1, -1)
  if (inside.length === 0) return undefined
  const pieces = split(inside, outside(inside).filter(({ token }) => token.text === ',' && token.kind === 'mark').map(({ at }) => at))
  if (pieces.at(-1)?.length === 0) pieces.pop()
  const values = pieces.map(literalOf)
  return values.every((value) => value !== undefined) ? values : undefined
}

// Writing

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** Whether a text is a number as the language writes it. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text)
}

/** Whether a row has all that it needs; one that has not is left out of the condition. */
export function complete(part: Part): boolean {
  if (part.kind === 'text') return part.text.trim() !== ''
  if (part.kind === 'group') return part.parts.some(complete)
  if (part.path.length === 0) return false
  if (ALONE.includes(part.operator)) return true
  const whole = part.values.every((value) => value.kind !== 'number' || tokens(value.text.replace(/^-/, ''))?.[0]?.kind === 'number')
  return whole && part.values.length > 0
}

/** The condition that a group stands for; empty if it asks for nothing. */
export function print(group: Group): string {
  const parts = group.parts.filter(complete)
  const word = group.join === 'all' ? ' and ' : ' or '
  return parts.map((part) => (parts.length === 1 && part.kind !== 'group' ? plain(part) : bracketed(part, group.join))).join(word)
}

function plain(part: Row | Text): string {
  return part.kind === 'row' ? rowText(part) : part.text.trim()
}

function bracketed(part: Part, join: Group['join']): string {
  if (part.kind === 'row') return rowText(part)
  if (part.kind === 'text') {
    const loose = words(tokens(part.text) ?? [], 'and', 'or', 'if').length > 0
    return loose ? `(${part.text.trim()})` : part.text.trim()
  }
  const inside = print(part)
  return part.parts.filter(complete).length > 1 && part.join !== join ? `(${inside})` : inside
}

/** A row as an expression. */
export function rowText({ path, operator, values }: Row): string {
  const field = pathText(path)
  const value = values.map(literalText).join(', ')
  const sign = SIGNS[operator]
  if (sign) return `${field} ${sign} ${value}`
  switch (operator) {
    case 'contains':
      return `${value} in ${field}`
    case 'lacks':
      return `${value} not in ${field}`
    case 'one_of':
      return `${field} in [${value}]`
    case 'none_of':
      return `${field} not in [${value}]`
    case 'begins':
      return `${field} is startingwith(${value})`
    case 'ends':
      return `${field} is endingwith(${value})`
    case 'there':
      return `${field} is defined`
    case 'missing':
      return `${field} is not defined`
    case 'yes':
      return `${field} is true`
    case 'no':
      return `${field} is false`
    case 'empty':
      return `not ${field}`
    default:
      return field
  }
}

function literalText(value: Literal): string {
  if (value.kind === 'text') return quote(value.text)
  if (value.kind === 'number') return value.text
  return value.kind === 'flag' ? String(value.on) : 'none'
}
