/** A piece of a text: part of what was searched for, or not. */
export interface Segment {
  text: string
  hit: boolean
}

/** What is searched for, taken apart as the event log does it: phrases of words, all of which an event has to hold. */
export interface Wanted {
  phrases: { words: string[]; prefix: boolean }[]
}

interface Word {
  text: string
  start: number
  end: number
}

/** Of a text, so many characters are looked at. */
const MOST = 65_536
/** Of what is searched for, so many words and characters count, as in the event log. */
const QUERY_WORDS = 32
const QUERY_CHARS = 1024

// Scripts written without spaces, and Hangul, whose words take endings: each character is a word of its own.
const CJK =
  /[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff61-\uffdc\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3ffff}]/u
const WORD = /[\p{L}\p{N}\p{Co}]/u
const MARKS = /\p{M}+/gu

/** `undefined`: there is no word in it. */
export function wanted(search: string): Wanted | undefined {
  const parts = [...search].slice(0, QUERY_CHARS).join('').split(/\s+/).filter((part) => /[\p{L}\p{N}]/u.test(part)).slice(0, QUERY_WORDS)
  const phrases = parts.map((part, at) => {
    const last = [...part].at(-1) ?? ''
    const open = last === '*' || (WORD.test(last) && !CJK.test(last))
    const prefix = at === parts.length - 1 && open && [...part].length > 1
    return { words: wordsOf(part).map(({ text }) => text), prefix }
  })
  return phrases.length > 0 ? { phrases } : undefined
}

/** Splits a text at what was searched for: every word, the last one as a prefix, whatever the case and the accents. */
export function segments(text: string, wanted: Wanted | undefined): Segment[] {
  if (!wanted || text === '') return [{ text, hit: false }]
  const found = hits(wordsOf(text.slice(0, MOST)), wanted)
  if (found.length === 0) return [{ text, hit: false }]
  const parts: Segment[] = []
  let at = 0
  for (const [start, end] of found) {
    if (start > at) parts.push({ text: text.slice(at, start), hit: false })
    parts.push({ text: text.slice(start, end), hit: true })
    at = end
  }
  if (at < text.length) parts.push({ text: text.slice(at), hit: false })
  return parts
}

/** Where phrases stand, in order, each place in one at most. */
function hits(words: Word[], { phrases }: Wanted): [number, number][] {
  const found: [number, number][] = []
  for (let at = 0; at < words.length; at++) {
    let longest = 0
    for (const phrase of phrases) if (phrase.words.length > longest && standsAt(words, at, phrase)) longest = phrase.words.length
    const first = words[at]
    const last = words[at + longest - 1]
    if (longest === 0 || !first || !last) continue
    found.push([first.start, last.end])
    at += longest - 1
  }
  return found
}

function standsAt(words: Word[], at: number, { words: phrase, prefix }: Wanted['phrases'][number]): boolean {
  return phrase.every((word, offset) => {
    const text = words[at + offset]?.text
    return prefix && offset === phrase.length - 1 ? text?.startsWith(word) : text === word
  })
}

/** The words of a text as the event log's index has them, and where they stand. */
function wordsOf(text: string): Word[] {
  const words: Word[] = []
  let word: Word | undefined
  let at = 0
  for (const character of text) {
    const end = at + character.length
    const plain = fold(character)
    // An accent of its own belongs to the word that it stands in.
    if (plain === '') {
      if (word) word.end = end
    } else if (CJK.test(character)) {
      words.push({ text: plain, start: at, end })
      word = undefined
    } else if (!WORD.test(plain)) {
      word = undefined
    } else if (word) {
      word.text += plain
      word.end = end
    } else {
      words.push((word = { text: plain, start: at, end }))
    }
    at = end
  }
  return words
}

/** Without case and accents; fullwidth forms as what they stand for. */
function fold(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 128) return character.toLowerCase()
  const narrow = code > 0xff00 && code < 0xff5f ? String.fromCharCode(code - 0xfee0) : character
  return narrow.normalize('NFD').replace(MARKS, '').toLowerCase()
}
