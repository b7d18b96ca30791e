/** A piece of an expression in the language of conditions. */
export interface Token {
  kind: 'name' | 'string' | 'number' | 'mark'
  /** As written. */
  text: string
  /** What a string says, without its quotes and escapes. */
  value: string
  start: number
  end: number
}

const BLANK = /[ \t\r\n]+/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
// A number right after a dot is a place in a list, and has no fraction.
const PLACE = /\d+/y
const NUMBER = /0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/y
const STRING = /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y
const MARK = /\/\/|\*\*|==|!=|>=|<=|[-+*/%~()[\]{}<>,:.|=]/y

/** The pieces of an expression; `undefined` if it has something that no expression has. */
export function tokens(text: string): Token[] | undefined {
  const found: Token[] = []
  let at = 0
  const take = (pattern: RegExp, kind?: Token['kind']): boolean => {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    if (match === undefined) return false
    const value = kind === 'string' ? unescape(match.slice(1, -1)) : match
    if (value === undefined) return false
    if (kind) found.push({ kind, text: match, value, start: at, end: at + match.length })
    at += match.length
    return true
  }
  while (at < text.length) {
    const afterDot = found.at(-1)?.text === '.' && found.at(-1)?.end === at
    const known = take(BLANK) || take(NAME, 'name') || take(afterDot ? PLACE : NUMBER, 'number') || take(STRING, 'string') || take(MARK, 'mark')
    if (!known) return undefined
  }
  return found
}

const SIMPLE: Record<string, string> = { '"': '"', "'": "'", '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const ESCAPE = /\\(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|([0-7]{1,3})|([^]))/gu

/** What a string says; `undefined` for an escape that is none. */
function unescape(inside: string): string | undefined {
  let broken = false
  const text = inside.replace(ESCAPE, (whole, unit?: string, byte?: string, octal?: string, other = '') => {
    if (unit ?? byte) return String.fromCharCode(parseInt(unit ?? byte ?? '', 16))
    // Numbers of eight have several readings; none is written here.
    if (octal !== undefined || other === 'u' || other === 'x') broken = true
    return SIMPLE[other] ?? whole
  })
  return broken || !whole(text) ? undefined : text
}

/** Whether a text has no half of a character. */
function whole(text: string): boolean {
  try {
    encodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** A text as a string of the language. */
export function quote(text: string): string {
  const inside = text.replace(/[\\'\u0000-\u001f\u007f]/g, (char) => {
    if (char === '\\' || char === "'") return `\\${char}`
    const short = { '\n': 'n', '\r': 'r', '\t': 't' }[char]
    return `\\${short ?? `u${char.charCodeAt(0).toString(16).padStart(4, '0')}`}`
  })
  return `'${inside}'`
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The path to a value: `data.a['b-c'][0]`. */
export function pathText([name = '', ...steps]: readonly (string | number)[]): string {
  return name + steps.map((step) => (typeof step === 'number' ? `[${step}]` : PLAIN.test(step) ? `.${step}` : `[${quote(step)}]`)).join('')
}
