import { Failure } from '../transport/transport'

/** How long it is said that something is done, in milliseconds. */
const SAID = 3000

/** How something that a person asked for fares, for the control that asked. */
export class Doing {
  state = $state<'idle' | 'doing' | 'done' | 'failed'>('idle')
  failure = $state.raw<Failure | null>(null)

  #ending: ReturnType<typeof setTimeout> | undefined

  begin(): void {
    clearTimeout(this.#ending)
    this.failure = null
    this.state = 'doing'
  }

  end(): void {
    this.state = 'done'
    this.#ending = setTimeout(() => this.reset(), SAID)
  }

  fail(thrown: unknown): void {
    this.failure = Failure.from(thrown)
    this.state = 'failed'
  }

  reset(): void {
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
