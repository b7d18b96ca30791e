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
 * stays what it is. `undefined` if the text is not JSON, or is nested too deeply to be laid out.
 */
export function layOut(text: string): Token[] | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  const tokens: Token[] = []
  let depth = 0
  const lexemes = text.match(LEXER) ?? []
  for (const [at, lexeme] of lexemes.entries()) {
    const next = lexemes[at + 1]
    if (lexeme === '{' || lexeme === '[') {
      if (++depth > MAX_DEPTH) return undefined
      const empty = next === '}' || next === ']'
      tokens.push({ kind: 'mark', text: empty ? lexeme : lexeme + newLine(depth) })
    } else if (lexeme === '}' || lexeme === ']') {
      depth -= 1
      const empty = lexemes[at - 1] === '{' || lexemes[at - 1] === '['
      tokens.push({ kind: 'mark', text: empty ? lexeme : newLine(depth) + lexeme })
    } else if (lexeme === ',') {
      tokens.push({ kind: 'mark', text: lexeme + newLine(depth) })
    } else if (lexeme === ':') {
      tokens.push({ kind: 'mark', text: ': ' })
    } else if (lexeme.startsWith('"')) {
      tokens.push(...visible(lexeme, next === ':' ? 'key' : 'string'))
    } else {
      tokens.push({ kind: /^[-\d]/.test(lexeme) ? 'number' : 'word', text: lexeme })
    }
  }
  return tokens
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
