/** How well `wanted` is found in a text, in the order of its characters: the greater the better; `null`: not at all. */
export function match(wanted: string, text: string): { score: number; places: number[] } | null {
  const [pattern, within] = [fold(wanted).replaceAll(' ', ''), fold(text)]
  const places: number[] = []
  let score = 0
  let at = 0
  const whole = within.indexOf(fold(wanted).trim())
  if (whole >= 0 && pattern !== '') {
    const length = fold(wanted).trim().length
    return { score: 1000 - whole + (starts(within, whole) ? 500 : 0) - within.length / 100, places: Array.from({ length }, (_, step) => whole + step) }
  }
  for (const character of pattern) {
    const found = within.indexOf(character, at)
    if (found < 0) return null
    // Beginnings of words and neighbours are what people type.
    score += starts(within, found) ? 10 : found === at && at > 0 ? 6 : 1
    score -= Math.min(5, (found - at) / 4)
    places.push(found)
    at = found + character.length
  }
  return { score: score - within.length / 100, places }
}

const starts = (text: string, at: number) => at === 0 || /[\s\p{P}]/u.test(text[at - 1] ?? '')

/** Without case and accents, character for character, so that places stay what they are. */
function fold(text: string): string {
  return Array.from(text, (character) => {
    const plain = character.normalize('NFD').charAt(0).toLowerCase()
    return plain.length === character.length ? plain : character
  }).join('')
}
