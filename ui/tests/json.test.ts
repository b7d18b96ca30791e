import { expect, test } from 'vitest'
import { laidOut, visible } from '../src/lib/json'

const text = (json: string) => [...(laidOut(json) ?? [])].map((token) => token.text).join('')

test.each([
  ['{}', '{}'],
  ['[]', '[]'],
  ['{"a":1}', '{\n  "a": 1\n}'],
  [' [ 1 , [ ] , {"b":null} ] ', '[\n  1,\n  [],\n  {\n    "b": null\n  }\n]'],
  ['"a \\" { b"', '"a \\" { b"'],
  // Literals beyond JavaScript's numbers, and keys that come twice, stay.
  ['[1e400,0.10,12884901888123456789]', '[\n  1e400,\n  0.10,\n  12884901888123456789\n]'],
  ['{"k":1,"k":2}', '{\n  "k": 1,\n  "k": 2\n}'],
])('%s is laid out', (json, expected) => {
  expect(text(json)).toBe(expected)
})

test.each(['', 'plain', '{', '{"a":}', '{"a":1} x', 'NaN', '['.repeat(100_000), `${'['.repeat(65)}${']'.repeat(65)}`])(
  'what is no JSON, or too deep, is left as it is',
  (json) => {
    expect(laidOut(json)).toBeUndefined()
  },
)

test('characters that hide or reorder text are named', () => {
  expect(visible('a\u202Eb\u0000\t\n👨‍👩‍👧')).toEqual([
    { kind: 'mark', text: 'a' },
    { kind: 'control', text: 'U+202E' },
    { kind: 'mark', text: 'b' },
    { kind: 'control', text: 'U+0000' },
    { kind: 'mark', text: '\t\n👨‍👩‍👧' },
  ])
})
