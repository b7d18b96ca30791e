/** Most pixels of an element that scrolls: beyond about 33 million browsers lay nothing out, and places lose their exactness before. */
export const MAX_HEIGHT = 4_000_000
/** So near to its ends, in pixels, a list scrolls as it is, however long it is. */
const EDGE = 100_000
/** A move of more than so many heights of the viewport is a drag of the scrollbar. */
const FAR = 4

/**
 * How an element of bounded height scrolls through a list of any height. Small moves are moves by so many pixels, a drag of the
 * scrollbar leads to the same part of the list. Where the two drift apart, the element is to be set to `at` anew.
 */
export class Scroll {
  /** What is at the upper edge of the viewport: pixels from the list's top. */
  top = 0
  /** Where the element is to be. */
  at = 0
  total = 0
  view = 0

  /** The element's height. */
  get height(): number {
    return Math.min(this.total, MAX_HEIGHT)
  }

  /** What stands at `y` in the list stands at `y + shift` in the element. */
  get shift(): number {
    return this.at - this.top
  }

  get #end(): number {
    return Math.max(0, this.total - this.view)
  }

  /** Takes the element's new place. */
  scrolled(at: number): void {
    const delta = at - this.at
    this.at = at
    if (this.total <= MAX_HEIGHT) {
      this.top = at
    } else if (Math.abs(delta) > FAR * Math.max(1, this.view)) {
      this.top = this.#listPlace(at)
    } else {
      this.#move(this.top + delta)
    }
  }

  /** Keeps in sight what has moved to `top`. */
  moved(top: number): void {
    if (this.total <= MAX_HEIGHT) this.go(top)
    else this.#move(top)
  }

  /** Goes to a place in the list. */
  go(top: number): void {
    this.top = Math.min(this.#end, Math.max(0, top))
    this.at = this.#elementPlace(this.top)
  }

  /** Moves by pixels; comes back to the fitting place of the element where its ends are near. */
  #move(top: number): void {
    this.top = Math.min(this.#end, Math.max(0, top))
    const end = this.height - this.view
    const near = Math.min(this.top, this.#end - this.top, this.at, end - this.at) < EDGE
    if (near) this.at = this.#elementPlace(this.top)
  }

  #elementPlace(top: number): number {
    if (this.total <= MAX_HEIGHT || top <= EDGE) return top
    const end = this.height - this.view
    if (this.#end - top <= EDGE) return end - (this.#end - top)
    return EDGE + ((top - EDGE) / (this.#end - 2 * EDGE)) * (end - 2 * EDGE)
  }

  #listPlace(at: number): number {
    const end = this.height - this.view
    if (at <= EDGE) return Math.max(0, at)
    if (end - at <= EDGE) return this.#end - Math.max(0, end - at)
    return EDGE + ((at - EDGE) / (end - 2 * EDGE)) * (this.#end - 2 * EDGE)
  }
}
