/** How long a message stays, in milliseconds; long enough to reach its button. */
const STAY = 10_000

export interface Toast {
  number: number
  text: string
  tone: 'plain' | 'bad'
  action?: { label: string; run: () => void }
}

/** Short messages at the window's foot. */
export class Toasts {
  list = $state.raw<Toast[]>([])
  #next = 1
  #held = false
  #ending = new Map<number, ReturnType<typeof setTimeout>>()

  /** Shows a message; its number. */
  show(text: string, rest: Partial<Pick<Toast, 'tone' | 'action'>> = {}): number {
    const number = this.#next++
    for (const { number } of this.list.slice(0, -2)) this.dismiss(number)
    this.list = [...this.list, { number, text, tone: 'plain', ...rest }]
    if (!this.#held) this.#end(number)
    return number
  }

  /** Whether a message still stands. */
  has(number: number): boolean {
    return this.list.some((toast) => toast.number === number)
  }

  dismiss(number: number): void {
    clearTimeout(this.#ending.get(number))
    this.#ending.delete(number)
    this.list = this.list.filter((toast) => toast.number !== number)
  }

  /** While somebody is at the messages none of them goes; afterwards each has its time anew. */
  hold(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    for (const timer of this.#ending.values()) clearTimeout(timer)
    this.#ending.clear()
    if (!held) for (const { number } of this.list) this.#end(number)
  }

  #end(number: number): void {
    this.#ending.set(number, setTimeout(() => this.dismiss(number), STAY))
  }
}
