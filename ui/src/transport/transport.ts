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

/** How long a request may take, in milliseconds: longer where files are written and read. */
export function limit(path: string): number {
  if (/^\/(export|import|events\/export)$/.test(path)) return 600_000
  return path === '/probe' ? 20_000 : 30_000
}

/** Waits for an answer no longer than that. */
export function inTime<T>(path: string, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Failure('timeout', `no answer to ${path} within ${limit(path) / 1000} s`)), limit(path))
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What went wrong: the program's own answer, or that there is none. */
export class Failure extends Error {
  constructor(
    readonly code: Answer['code'] | 'unreachable' | 'timeout',
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
