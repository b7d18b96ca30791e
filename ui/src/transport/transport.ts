import type { Error as Answer } from '../generated/Error'
import type { Place } from '../generated/Place'
import type { Sentence } from '../generated/Sentence'
import type { Update } from '../generated/Update'

/** The only way from the window to the resident program. */
export interface Transport {
  /** One request on the control socket. Throws a {@link Failure}. */
  request<T>(method: Method, path: string, body?: unknown): Promise<T>
  /**
   * Hands over every update, the whole status first, until the program is gone or `signal` aborts; then it returns or throws.
   * Trying again is the caller's.
   */
  follow(receive: (update: Update) => void, signal: AbortSignal): Promise<void>
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What went wrong: the program's own answer, or that there is none. */
export class Failure extends Error {
  constructor(
    readonly code: Answer['code'] | 'unreachable',
    message = '',
    readonly detail = '',
    readonly sentence?: Sentence,
    /** Where the mistake is in rules. */
    readonly place?: Place,
  ) {
    super(message)
  }

  /** Makes one of whatever a transport caught. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown
    if (thrown !== null && typeof thrown === 'object' && 'code' in thrown) {
      const answer = thrown as Answer
      return new Failure(answer.code, answer.message, answer.detail, answer.sentence, answer.place)
    }
    return new Failure('unreachable', String(thrown))
  }
}
