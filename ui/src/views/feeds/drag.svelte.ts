import type { Spot } from '../../lib/groups'

/** How far a pointer goes before it drags, in pixels. */
const THRESHOLD = 5
/** How near the list's edge it scrolls by itself, in pixels, and how far at once. */
const EDGE = 28
const SCROLL = 8

/** A feed that is dragged through the list with a pointer; its elements bear `data-feed`, headings of groups `data-group`. */
export class Drag {
  /** The feed in hand. */
  feed = $state<string | null>(null)
  /** Where the line stands that shows where it would go, in pixels from the list's top. */
  line = $state<number | null>(null)

  #spot: Spot | null = null
  #start: { x: number; y: number; feed: string; pointer: number } | null = null
  /** The click that ends a drag is none. */
  #over = false

  constructor(readonly drop: (feed: string, spot: Spot) => void) {}

  down(event: PointerEvent): void {
    this.#over = false
    const row = (event.target as Element).closest<HTMLElement>('button[data-feed]')
    // A finger scrolls; for it there is the menu.
    if (!row || event.button !== 0 || event.pointerType === 'touch') return
    this.#start = { x: event.clientX, y: event.clientY, feed: row.dataset.feed ?? '', pointer: event.pointerId }
  }

  move(event: PointerEvent & { currentTarget: HTMLElement }): void {
    if (!this.#start || event.pointerId !== this.#start.pointer) return
    const list = event.currentTarget
    if (this.feed === null) {
      if (Math.hypot(event.clientX - this.#start.x, event.clientY - this.#start.y) < THRESHOLD) return
      this.feed = this.#start.feed
      list.setPointerCapture?.(event.pointerId)
    }
    event.preventDefault()
    this.#aim(list, event.clientY)
    const { top, bottom } = list.getBoundingClientRect()
    if (event.clientY < top + EDGE) list.scrollTop -= SCROLL
    if (event.clientY > bottom - EDGE) list.scrollTop += SCROLL
  }

  up(): void {
    const { feed } = this
    const spot = this.#spot
    this.#over = feed !== null
    this.cancel()
    if (feed !== null && spot) this.drop(feed, spot)
  }

  cancel(): void {
    this.#start = this.#spot = this.feed = this.line = null
  }

  /** Whether a click that comes now only ends a drag. */
  endsDrag(): boolean {
    const over = this.#over
    this.#over = false
    return over
  }

  #aim(list: HTMLElement, y: number): void {
    const top = list.getBoundingClientRect().top - list.scrollTop
    let group: string | null = null
    let before: string | null = null
    let line: number | null = null
    // From above: the last thing whose middle is above the pointer decides.
    const things = [...list.querySelectorAll<HTMLElement>('[data-feed], [data-group]')]
    for (const [at, thing] of things.entries()) {
      const box = thing.getBoundingClientRect()
      if (line !== null && y < box.top + box.height / 2) break
      if (line === null && y < box.top + box.height / 2) {
        line = box.top - top
        before = thing.dataset.feed ?? null
        break
      }
      if (thing.dataset.group !== undefined) group = thing.dataset.group
      const next = things[at + 1]
      before = next?.dataset.feed ?? null
      line = box.bottom - top
    }
    // Into a group whose feeds are out of sight: at its end, which `null` is.
    this.line = line
    this.#spot = line === null ? null : { group, before: before === this.feed ? this.#after(things, before) : before }
  }

  /** The feed below the one in hand, of the same group. */
  #after(things: HTMLElement[], feed: string | null): string | null {
    return things[things.findIndex((thing) => thing.dataset.feed === feed) + 1]?.dataset.feed ?? null
  }
}
