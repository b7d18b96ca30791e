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

  show(text: string, rest: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
    const number = this.#next++
    this.list = [...this.list.slice(-2), { number, text, tone: 'plain', ...rest }]
    setTimeout(() => this.dismiss(number), STAY)
  }

  dismiss(number: number): void {
    this.list = this.list.filter((toast) => toast.number !== number)
  }
}
