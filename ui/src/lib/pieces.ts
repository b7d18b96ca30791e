import { laidOut, visible, type Token } from './json'

/** A part of a text, as it is drawn at once. */
export interface Piece {
  tokens: Token[]
  /** Whether there is more to come. */
  more: boolean
}

/** Characters that are drawn without being asked for, and coloured. */
const FIRST = 65_536
/** Characters of each further piece. */
const NEXT = 32_768
/** Tokens of a piece: each is an element. */
const TOKENS = 4000

/** A text piece by piece, JSON laid out in lines; `whole`: it is not cut short. */
export class Pieces {
  /** Whether it is JSON. */
  readonly json: boolean

  #tokens: Iterator<Token> | undefined
  /** Taken from `#tokens`, and not drawn yet. */
  #held: Token | undefined
  #rest: string
  #first = true

  constructor(text: string, whole: boolean) {
    this.#tokens = whole ? laidOut(text) : undefined
    this.json = this.#tokens !== undefined
    this.#rest = text
    this.#take()
  }

  /** The next piece; the first one is the longest and has colours. */
  next(): Piece | undefined {
    const piece = this.#tokens ? this.#nextTokens() : this.#nextText()
    this.#first = false
    return piece
  }

  #take(): void {
    this.#held = this.#tokens?.next().value
  }

  #nextTokens(): Piece | undefined {
    if (!this.#held) return undefined
    const taken: Token[] = []
    let room = this.#first ? FIRST : NEXT
    while (this.#held && room > 0 && taken.length < TOKENS) {
      const { kind, text }: Token = this.#held
      const end = boundary(text, room)
      room -= end
      if (end < text.length) this.#held = { kind, text: text.slice(end) }
      else this.#take()
      const last = taken.at(-1)
      // Beyond the first piece a text may have a hundred thousand tokens: they are drawn as one.
      if (this.#first || kind === 'control') taken.push({ kind, text: text.slice(0, end) })
      else if (last?.kind === 'mark') last.text += text.slice(0, end)
      else taken.push({ kind: 'mark', text: text.slice(0, end) })
    }
    return { tokens: taken, more: this.#held !== undefined }
  }

  #nextText(): Piece | undefined {
    if (this.#rest === '') return undefined
    const end = boundary(this.#rest, this.#first ? FIRST : NEXT)
    const tokens = visible(this.#rest.slice(0, end)).slice(0, TOKENS)
    // What has a name instead of taking effect is one character each.
    const length = tokens.reduce((sum, { kind, text }) => sum + (kind === 'control' ? 1 : text.length), 0)
    this.#rest = this.#rest.slice(length)
    return { tokens, more: this.#rest !== '' }
  }
}

/** Where a text of at most so many characters ends: after a line if there is one, and never within a character. */
function boundary(text: string, most: number): number {
  if (text.length <= most) return text.length
  const line = text.lastIndexOf('\n', most - 1) + 1
  if (line > most / 2) return line
  const code = text.charCodeAt(most - 1)
  return code >= 0xd800 && code < 0xdc00 && most > 1 ? most - 1 : most
}
