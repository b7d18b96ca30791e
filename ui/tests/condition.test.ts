import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, print, rows, type Group, type Literal, type Operator, type Part, type Row } from '../src/lib/condition'
import { quote, tokens } from '../src/lib/expression'
import { evaluate, truth } from '../src/transport/fake/evaluate'

const row = (path: string, operator: Operator, ...values: (string | number | boolean | null)[]): Row => ({
  kind: 'row',
  path: path.split('.'),
  operator,
  values: values.map((value): Literal => {
    if (value === null) return { kind: 'nothing' }
    if (typeof value === 'boolean') return { kind: 'flag', on: value }
    return typeof value === 'number' ? { kind: 'number', text: String(value) } : { kind: 'text', text: value }
  }),
})
const all = (...parts: Part[]): Group => ({ kind: 'group', join: 'all', parts })
const any = (...parts: Part[]): Group => ({ kind: 'group', join: 'any', parts })

describe('an expression in rows', () => {
  test.each<[string, Group]>([
    ['data.priority >= 4', all(row('data.priority', 'at_least', 4))],
    ['4 <= data.priority', all(row('data.priority', 'at_least', 4))],
    ['data.n < -1.5', all({ ...row('data.n', 'less'), values: [{ kind: 'number', text: '-1.5' }] })],
    ["'ERROR' in data.line", all(row('data.line', 'contains', 'ERROR'))],
    ["not 'disk' in data.tags", all(row('data.tags', 'lacks', 'disk'))],
    ["'disk' not in data.tags", all(row('data.tags', 'lacks', 'disk'))],
    ["data.level == 'error' and not data.muted", all(row('data.level', 'is', 'error'), row('data.muted', 'empty'))],
    ["event == 'push' or data.n > 3", any(row('event', 'is', 'push'), row('data.n', 'more', 3))],
    ['data.click is defined', all(row('data.click', 'there'))],
    ['not data.click is defined', all(row('data.click', 'missing'))],
    ['data.text is none', all(row('data.text', 'is', null))],
    ['data.done is true and data.ok == false', all(row('data.done', 'yes'), row('data.ok', 'is', false))],
    ['data.t is startingwith("a") and data.t is endingwith \'b\'', all(row('data.t', 'begins', 'a'), row('data.t', 'ends', 'b'))],
    ["data.s in ['a', \"b\",] ", all(row('data.s', 'one_of', 'a', 'b'))],
    ['data.a == 1 and (data.b == 2 or data.c == 3)', all(row('data.a', 'is', 1), any(row('data.b', 'is', 2), row('data.c', 'is', 3)))],
    ['data.a == 1 and data.b == 2 or data.c == 3', any(all(row('data.a', 'is', 1), row('data.b', 'is', 2)), row('data.c', 'is', 3))],
    ['((data.a == 1)) and (data.b == 2 and data.c)', all(row('data.a', 'is', 1), row('data.b', 'is', 2), row('data.c', 'filled'))],
    ["data['a-b'][0].c == 'x'", all({ ...row('data', 'is', 'x'), path: ['data', 'a-b', 0, 'c'] })],
    ['data.items.0.id == data.or', all()],
    ["data.x == 'it\\'s \\u00e9 \\\"q\\\" \\\\ \\n'", all(row('data.x', 'is', 'it\'s é "q" \\ \n'))],
    ['', all()],
  ])('%s', (text, expected) => {
    if (expected.parts.length === 0 && text !== '') expect(parse(text)).toBeUndefined()
    else expect(parse(text)).toEqual(expected)
  })

  test('a number keeps the digits that JavaScript has no room for', () => {
    expect(print(parse('data.size == 12884901888123456789') as Group)).toBe('data.size == 12884901888123456789')
  })

  test.each(["data.a < data.b < 3", '1 < data.n < 3', "'x' in (data | b64decode)", 'data.a if data.b else data.c', 'data.n + 1 > 3', "'a' in 'abc'", 'not data.n > 3', 'other == 1'])(
    'stays text: %s',
    (text) => expect(parse(text)).toBeUndefined(),
  )

  test.each(['data.a ==', "data.a == 'x", '(data.a', 'data.a)', 'data.a == 1 and', "data.a == '\\7'", 'data.a = 1', 'data §', "data.a == '\\ud800'"])('what is not written right stays text: %s', (text) =>
    expect(parse(text)).toBeUndefined(),
  )

  test('a part that fits no row stays text among the rows', () => {
    const text = "event == 'push' and (data.a < data.b or data.a ~ 'x' == 'yx' and 'k' in (data | b64decode)) and 'z' in (data.t | lower)"
    const group = parse(text) as Group
    expect(group.parts.map(({ kind }) => kind)).toEqual(['row', 'group', 'text'])
    expect(print(group)).toBe(text.replace(/data\.a ~ .*\(data \| b64decode\)(?=\))/, '($&)'))
  })
})

/** Numbers that look like chance, the same in each run. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PATHS: Row['path'][] = [['event'], ['id'], ['data'], ['data', 'priority'], ['data', 'a-b'], ['data', "it's"], ['data', 'tags'], ['data', 'list', 0, 'or'], ['data', 'none'], ['raw']]
const TEXTS = ['', 'error', "it's", 'a "b"', '\\', '\\n', 'line\nend\t', '数据 🙂', '4', '{{ x }}', '\u0000\u001b', "' or true or '"]
const NUMBERS = ['0', '4', '-1', '12884901888123456789', '1.50', '1e3']
const ODD = ['data.a < data.b', "'x' in (data | lower)", 'data.n + 1 > 3', 'data.a if data.b else data.c', 'not data.n > 3']
const OPERATORS: Operator[] = ['is', 'is_not', 'at_least', 'at_most', 'more', 'less', 'contains', 'lacks', 'begins', 'ends', 'one_of', 'none_of', 'there', 'missing', 'yes', 'no', 'filled', 'empty']

function madeGroup(pick: (below: number) => number, join: Group['join'], depth: number): Group {
  const one = <Item>(list: Item[]): Item => list[pick(list.length)] as Item
  const literal = (): Literal => {
    const kinds: Literal[] = [{ kind: 'text', text: one(TEXTS) }, { kind: 'number', text: one(NUMBERS) }, { kind: 'flag', on: pick(2) === 0 }, { kind: 'nothing' }]
    return one(kinds)
  }
  const madeRow = (): Row => {
    const operator = one(OPERATORS)
    const count = ['one_of', 'none_of'].includes(operator) ? 1 + pick(3) : ['there', 'missing', 'yes', 'no', 'filled', 'empty'].includes(operator) ? 0 : 1
    const values = Array.from({ length: count }, literal)
    return { kind: 'row', path: one(PATHS), operator, values: operator === 'begins' || operator === 'ends' ? [{ kind: 'text', text: one(TEXTS) }] : values }
  }
  const parts = Array.from({ length: 2 + pick(3) }, (_, at): Part => {
    if (at > 0 && pick(6) === 0) return { kind: 'text', text: one(ODD) }
    return depth === 0 && at > 0 && pick(4) === 0 ? madeGroup(pick, join === 'all' ? 'any' : 'all', 1) : madeRow()
  })
  return { kind: 'group', join, parts }
}

describe('there and back', () => {
  test('rows → text → rows is the same', () => {
    const pick = chance(7)
    for (let round = 0; round < 3000; round++) {
      const made = madeGroup(pick, pick(2) === 0 ? 'all' : 'any', 0)
      expect(parse(print(made)), print(made)).toEqual(made)
    }
  })

  test('text → rows → text decides the same', () => {
    const pick = chance(11)
    const scope = { event: 'error', id: '', raw: 'error', data: { priority: 4, 'a-b': 'error', tags: ['error', 4], list: [{ or: true }], n: 3, a: 1, b: 2, "it's": 'line\nend\t', none: null } }
    const atoms = ['data.priority >= 4', '4 < data.n', "'error' in data.tags", 'data.none is none', 'not data.x', "not (data['a-b'] == 'error')", 'data.a < data.b < 3', "data.list[0].or", "event in ['error', 'x']", "not 'e' in raw", 'data.x is not defined', '(data.a)', "event is startingwith('e')"]
    const piece = (depth: number): string => {
      const kind = depth > 2 ? 0 : pick(5)
      if (kind === 1) return `${piece(depth + 1)} and ${piece(depth + 1)}`
      if (kind === 2) return `${piece(depth + 1)} or ${piece(depth + 1)}`
      if (kind === 3) return `(${piece(depth + 1)})`
      return kind === 4 ? `not (${piece(depth + 1)})` : (atoms[pick(atoms.length)] as string)
    }
    let held = 0
    for (let round = 0; round < 3000; round++) {
      const text = piece(0)
      const group = parse(text)
      if (!group) continue
      held += 1
      expect(truth(evaluate(print(group), scope)), `${text} → ${print(group)}`).toBe(truth(evaluate(text, scope)))
    }
    expect(held).toBeGreaterThan(1500)
  })

  test('conditions in the documentation fit rows or stay text, and mean the same', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../docs/feeds.md'), 'utf8')
    const found = [...docs.matchAll(/when = "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text)
    expect(found.length).toBeGreaterThan(5)
    const inRows = found.filter((text) => {
      const group = parse(text)
      if (group) expect(parse(print(group))).toEqual(group)
      return group
    })
    expect(inRows).toContain('data.priority >= 4')
    expect(found.filter((text) => !inRows.includes(text))).toEqual(expect.arrayContaining(["'ERROR' in (data | b64decode)"]))
    expect(rows(parse("data.status == 'failed'") as Group)).toHaveLength(1)
  })

  test('quoted texts say what they said', () => {
    for (const text of TEXTS) expect(tokens(quote(text))?.map(({ value }) => value)).toEqual([text])
  })
})
