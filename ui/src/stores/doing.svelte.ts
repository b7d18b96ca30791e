import { Failure } from '../transport/transport'

/** How long it is said that something is done, in milliseconds. */
const SAID = 3000

/** How long something may take before its control is disabled, in milliseconds. */
const LATE = 300

/** How something that a person asked for fares, for the control that asked. */
export class Doing {
  state = $state<'idle' | 'doing' | 'done' | 'failed'>('idle')
  failure = $state.raw<Failure | null>(null)

  /** Whether it takes longer than a person takes for at once. */
  late = $state(false)

  #slow: ReturnType<typeof setTimeout> | undefined
  #ending: ReturnType<typeof setTimeout> | undefined

  begin(): void {
    clearTimeout(this.#ending)
    this.failure = null
    this.state = 'doing'
    clearTimeout(this.#slow)
    this.#slow = setTimeout(() => (this.late = true), LATE)
  }

  #answered(): void {
    clearTimeout(this.#slow)
    this.late = false
  }

  end(): void {
    this.#answered()
    this.state = 'done'
    this.#ending = setTimeout(() => this.reset(), SAID)
  }

  fail(thrown: unknown): void {
    this.#answered()
    this.failure = Failure.from(thrown)
    this.state = 'failed'
  }

  reset(): void {
    this.#answered()
    clearTimeout(this.#ending)
    this.failure = null
    this.state = 'idle'
  }

  /** Runs it, unless it runs already; what it gives, or nothing if it failed. */
  async run<T>(action: () => Promise<T>): Promise<T | undefined> {
    if (this.state === 'doing') return undefined
    this.begin()
    try {
      const value = await action()
      this.end()
      return value
    } catch (thrown) {
      this.fail(thrown)
      return undefined
    }
  }
}
