import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, '../src/app.css'), 'utf8')

/** The colours that a rule gives names to. */
function tokens(selector: string): Record<string, string> {
  const from = css.indexOf(`${selector} {`)
  const body = css.slice(from, css.indexOf('\n}', from))
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]))
}

const light = tokens(':root')
const themes = { light, dark: { ...light, ...tokens(":root[data-theme='dark']") } }

type Colour = [number, number, number]
const colour = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Colour

/** WCAG 2.2, relative luminance. */
function luminance(colour: Colour): number {
  const [r, g, b] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as Colour
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function ratio(a: Colour, b: Colour): number {
  const [dark, bright] = [luminance(a), luminance(b)].sort((a, b) => a - b) as [number, number]
  return (bright + 0.05) / (dark + 0.05)
}

/** `color-mix(in srgb, over …%, transparent)` on a ground. */
function mixed(over: Colour, percent: number, ground: Colour): Colour {
  return over.map((value, at) => (value * percent + (ground[at] ?? 0) * (100 - percent)) / 100) as Colour
}

const GROUNDS = ['paper', 'surface', 'rail', 'sunken', 'hover', 'selected', 'accent-soft', 'warn-soft', 'bad-soft']
/** Text, or a mark with a meaning, on a ground. */
const PAIRS: [string, string, number][] = [
  ...GROUNDS.map((ground): [string, string, number] => ['text', ground, 4.5]),
  ...['paper', 'surface', 'rail', 'sunken', 'hover', 'selected'].map((ground): [string, string, number] => ['muted', ground, 4.5]),
  ...['paper', 'surface', 'rail', 'sunken', 'hover', 'selected', 'accent-soft'].map((ground): [string, string, number] => ['accent', ground, 4.5]),
  ...['accent', 'accent-hover'].map((ground): [string, string, number] => ['on-accent', ground, 4.5]),
  ...['paper', 'surface', 'bad-soft', 'selected', 'hover'].map((ground): [string, string, number] => ['bad', ground, 4.5]),
  ...['paper', 'surface'].map((ground): [string, string, number] => ['good', ground, 4.5]),
  ...['paper', 'surface', 'warn-soft'].map((ground): [string, string, number] => ['warn', ground, 4.5]),
  // On a danger's button, and in a toast.
  ['surface', 'bad', 4.5],
  ['paper', 'text', 4.5],
  // Marks, borders of fields, the ring of the focus.
  ...['paper', 'surface', 'rail'].flatMap((ground): [string, string, number][] => [
    ['line-strong', ground, 3],
    ['accent', ground, 3],
    ['good', ground, 3],
    ['warn', ground, 3],
    ['bad', ground, 3],
    ['brass', ground, 3],
  ]),
]

describe.each(Object.entries(themes))('in the %s theme', (_, theme) => {
  test.each(PAIRS)('%s is read on %s', (over, ground, least) => {
    expect(theme).toHaveProperty(over)
    expect(theme).toHaveProperty(ground)
    expect(ratio(colour(theme[over] ?? ''), colour(theme[ground] ?? ''))).toBeGreaterThanOrEqual(least)
  })

  test('text is read on the place in the rail where the window is', () => {
    const ground = mixed(colour(theme.accent ?? ''), 16, colour(theme.rail ?? ''))
    expect(ratio(colour(theme.text ?? ''), ground)).toBeGreaterThanOrEqual(4.5)
  })
})

test('a ratio is what WCAG says it is', () => {
  expect(ratio(colour('#000000'), colour('#ffffff'))).toBeCloseTo(21, 5)
  expect(ratio(colour('#777777'), colour('#ffffff'))).toBeCloseTo(4.48, 2)
})
