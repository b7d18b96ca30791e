/** A piece of event data, as the Raw view colours it. */
export interface Token {
  kind: 'key' | 'string' | 'number' | 'word' | 'mark' | 'control'
  text: string
}

/** Deeper nesting would grow the text by its square. */
const MAX_DEPTH = 64

const LEXER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

/**
 * Lays JSON out in lines, every literal as it was received: a number beyond JavaScript's precision or a key that comes twice
 * stays what it is. Made as far as it is asked for; `undefined` if the text is not JSON, or is nested too deeply to be laid out.
 */
export function laidOut(text: string): Iterator<Token> & Iterable<Token> | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  return depthOf(text) > MAX_DEPTH ? undefined : tokensOf(text)
}

/** How deep JSON is nested. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at += 1
    else if (character === '"') quoted = !quoted
    else if (quoted) continue
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth -= 1
  }
  return deepest
}

function* tokensOf(text: string): Generator<Token, undefined> {
  const lexer = new RegExp(LEXER)
  let depth = 0
  let before = ''
  let lexeme = lexer.exec(text)?.[0]
  while (lexeme !== undefined) {
    const next: string | undefined = lexer.exec(text)?.[0]
    if (lexeme === '{' || lexeme === '[') {
      depth += 1
      const empty = next === '}' || next === ']'
      yield { kind: 'mark', text: empty ? lexeme : lexeme + newLine(depth) }
    } else if (lexeme === '}' || lexeme === ']') {
      depth -= 1
      const empty = before === '{' || before === '['
      yield { kind: 'mark', text: empty ? lexeme : newLine(depth) + lexeme }
    } else if (lexeme === ',') {
      yield { kind: 'mark', text: lexeme + newLine(depth) }
    } else if (lexeme === ':') {
      yield { kind: 'mark', text: ': ' }
    } else if (lexeme.startsWith('"')) {
      yield* visible(lexeme, next === ':' ? 'key' : 'string')
    } else {
      yield { kind: /^[-\d]/.test(lexeme) ? 'number' : 'word', text: lexeme }
    }
    before = lexeme
    lexeme = next
  }
}

const newLine = (depth: number) => '\n' + '  '.repeat(depth)

// Characters that would hide or reorder what stands around them; the joiners that emoji and scripts need are left out.
const HIDDEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff])/

/** Splits a text so that control and direction characters stand there by name instead of taking effect. */
export function visible(text: string, kind: Token['kind'] = 'mark'): Token[] {
  return text
    .split(HIDDEN)
    .filter((part) => part !== '')
    .map((part) =>
      HIDDEN.test(part)
        ? { kind: 'control', text: `U+${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}` }
        : { kind, text: part },
    )
}
