import type { Update } from '../generated/Update'
import { Failure, limit, type Transport } from './transport'

/** Plain HTTP for a browser, through a proxy at `/api` that leads to the control socket: for development. */
export const transport: Transport = {
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    let answer: Response
    let value: unknown
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), limit(path))
    try {
      answer = await fetch(`/api${path}`, {
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: stop.signal,
      })
      value = answer.status === 204 ? undefined : await answer.json().catch(() => null)
    } catch (thrown) {
      throw new Failure(stop.signal.aborted ? 'timeout' : 'unreachable', String(thrown))
    } finally {
      clearTimeout(timer)
    }
    if (stop.signal.aborted) throw new Failure('timeout', path)
    if (answer.ok) return value as T
    // The proxy answers 5xx without JSON when nobody listens on the socket.
    throw Failure.from(value ?? 'no answer')
  },

  follow(receive, signal) {
    return new Promise((resolve) => {
      const source = new EventSource('/api/updates')
      const end = () => {
        source.close()
        resolve()
      }
      source.onmessage = (message) => receive(JSON.parse(message.data) as Update)
      source.onerror = end
      signal.addEventListener('abort', end)
    })
  },
}
