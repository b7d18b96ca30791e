import type { Attention } from '../../generated/Attention'
import type { ConnectionChange } from '../../generated/ConnectionChange'
import type { Event } from '../../generated/Event'
import type { Feed } from '../../generated/Feed'
import type { FeedDraft } from '../../generated/FeedDraft'
import type { FeedEdit } from '../../generated/FeedEdit'
import type { Settings } from '../../generated/Settings'
import type { SnoozeWish } from '../../generated/SnoozeWish'
import type { Status } from '../../generated/Status'
import type { Update } from '../../generated/Update'
import { feeds } from './feeds'
import { countFeed, log, type Made } from './log'
import { rules } from './rules'
import { settings } from './settings'
import { Failure, type Method, type Transport } from '../transport'

/** What a route of the socket is asked with. */
export interface Asked<Body = unknown> {
  /** What stands in the places of its path: `id` of `/feeds/:id`. */
  path: Record<string, string>
  query: URLSearchParams
  body: Body
}

interface Answer {
  method: Method
  path: string[]
  answer: (asked: Asked<never>) => unknown
}

/** A resident program made up in memory: for tests and for showing the window without one. */
export class Fake implements Transport {
  status: Status
  /** Newest first. */
  events: Event[] = []
  /** Older events, as many as may be: none of them is kept. */
  made: Made | null = null
  /** What happened to connections, newest first. */
  connections: ConnectionChange[] = []
  running = true
  /** What `GET /settings` answers. */
  readonly settings: Settings
  /** Every request so far, as `METHOD /path`. */
  requests: { line: string; body: unknown }[] = []

  #answers: Answer[] = []
  #followers = new Set<{ receive: (update: Update) => void; end: () => void }>()

  constructor(status: Partial<Status> = {}) {
    this.status = {
      version: '0.1.0',
      pid: 4711,
      started_at: new Date().toISOString(),
      language: 'en',
      theme: 'system',
      locale: 'en',
      config: { path: '/home/lin/.config/bellwether/feeds.toml', error: null },
      event_log: '/home/lin/.local/share/bellwether/events.db',
      event_log_error: null,
      attention: { snoozed_until: null, quiet_until: null, held: 0 },
      parts: [],
      feeds: [],
      ...status,
    }
    for (const room of [log, feeds, rules]) room(this)
    this.settings = settings(this)
  }

  /** Answers a route from now on, in place of what answered it before: `on('GET', '/feeds/:id/rules', ({ path }) => …)`. */
  on<Body>(method: Method, path: string, answer: (asked: Asked<Body>) => unknown): void {
    this.#answers.unshift({ method, path: path.split('/'), answer })
  }

  // What happens on the other side

  /** A new event comes in. */
  arrive(event: Event): void {
    this.events = [event, ...this.events]
    this.emit({ kind: 'event', value: event })
    countFeed(this, event.feed)
  }

  emit(update: Update): void {
    for (const follower of this.#followers) follower.receive(structuredClone(update))
  }

  set(status: Partial<Status>): void {
    this.status = { ...this.status, ...status }
    this.emit({ kind: 'status', value: this.status })
  }

  change(id: string, change: Partial<Feed>): Feed {
    const feed = { ...this.feed(id), ...change }
    this.status.feeds = this.status.feeds.map((other) => (other.id === id ? feed : other))
    this.emit({ kind: 'feed', value: feed })
    return feed
  }

  /** The program ends. */
  stop(): void {
    this.running = false
    for (const follower of this.#followers) follower.end()
  }

  /** The program runs again. */
  run(): void {
    this.running = true
  }

  // The socket

  follow(receive: (update: Update) => void, signal: AbortSignal): Promise<void> {
    if (!this.running) return Promise.reject(new Failure('unreachable'))
    return new Promise((resolve) => {
      const follower = {
        receive,
        end: () => {
          this.#followers.delete(follower)
          resolve()
        },
      }
      this.#followers.add(follower)
      signal.addEventListener('abort', follower.end)
      receive({ kind: 'status', value: structuredClone(this.status) })
    })
  }

  async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
    this.requests.push({ line: `${method} ${path}`, body })
    await Promise.resolve()
    if (!this.running) throw new Failure('unreachable')
    return structuredClone(await this.#answer(method, new URL(path, 'http://fake'), body)) as T
  }

  #answer(method: Method, url: URL, body: unknown): unknown {
    const asked = url.pathname.split('/')
    for (const { path, answer, ...rest } of this.#answers) {
      const fits = path.length === asked.length && path.every((part, at) => part.startsWith(':') || part === asked[at])
      if (rest.method !== method || !fits) continue
      const values = path.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), decodeURIComponent(asked[at] ?? '')]] : []))
      return answer({ path: Object.fromEntries(values), query: url.searchParams, body: body as never })
    }
    const [, room, id = '', verb = ''] = asked
    switch (`${method} ${room}${id && (room === 'feeds' || /^\d+$/.test(id) ? '/*' : `/${id}`)}${verb && `/${verb}`}`) {
      case 'GET status':
        return this.status
      case 'POST feeds':
        return this.#add(body as FeedDraft)
      case 'PATCH feeds/*':
        return this.change(id, changed(body as FeedEdit))
      case 'PUT snooze':
        return this.#snooze(body as SnoozeWish)
      case 'DELETE feeds/*':
        this.feed(id)
        return this.set({ feeds: this.status.feeds.filter((feed) => feed.id !== id) })
      case 'POST feeds/*/pause':
        return this.change(id, { paused: true, connection: connection('paused') })
      case 'POST feeds/*/resume':
      case 'POST feeds/*/reconnect':
        return this.change(id, { paused: false, connection: connection('connecting') })
      case 'POST demo':
        return this.#add({ id: 'demo', name: 'Demo', url: 'http://127.0.0.1:4000/events' })
      default:
        throw new Failure('not_found', url.pathname)
    }
  }

  /** Each time that the window offers is an hour here. */
  #snooze({ feed, until }: SnoozeWish): Attention {
    const snoozed_until = until === null || until === 'off' ? null : new Date(Date.now() + 3_600_000).toISOString()
    if (feed !== undefined) this.change(feed, { snoozed_until })
    else this.set({ attention: { ...this.status.attention, snoozed_until } })
    return this.status.attention
  }

  #add({ url, id, name, paused = false }: FeedDraft): Feed {
    if (!URL.canParse(url)) throw new Failure('invalid_url', 'not a URL', url)
    const { protocol, host } = new URL(url)
    if (!/^https?:$/.test(protocol)) throw new Failure('unsupported_scheme', 'neither http nor https', url)
    if (this.status.feeds.some((feed) => feed.url === url)) throw new Failure('duplicate_url', 'there already', url)
    const state = connection(paused ? 'paused' : 'connecting')
    const feed = makeFeed({ id: id ?? host.replaceAll(/[^a-z0-9]+/g, '-'), name: name ?? host, url, paused, connection: state })
    this.set({ feeds: [...this.status.feeds, feed] })
    return feed
  }

  feed(id: string): Feed {
    const feed = this.status.feeds.find((feed) => feed.id === id)
    if (!feed) throw new Failure('no_such_feed', id, id)
    return feed
  }
}

/** An edit's keys that a feed has under the same names. */
function changed({ preset: _preset, group, ...edit }: FeedEdit): Partial<Feed> {
  return { ...edit, ...(group === undefined ? {} : { group: group || null }) }
}

export function connection(state: Feed['connection']['state'], rest: Partial<Feed['connection']> = {}): Feed['connection'] {
  return { state, reason: null, attempt: 0, connected_at: null, next_attempt_at: null, last_activity_at: null, rhythm_seconds: null, hint: null, moved_to: null, ...rest }
}

export function makeFeed(feed: Partial<Feed> & { id: string }): Feed {
  return {
    name: feed.id,
    group: null,
    url: `https://${feed.id}.example.org/events`,
    credentials: [],
    paused: false,
    idle_timeout_seconds: 300,
    repeats: 'hide',
    verify_certificate: true,
    rules: 0,
    rule_faults: [],
    muted: false,
    snoozed_until: null,
    held: 0,
    preset: null,
    connection: connection('connected', { connected_at: new Date().toISOString() }),
    counts: { events: 0, unread: 0, repeats: 0, ignored: 0, oversized: 0 },
    last_event_at: null,
    ...feed,
  }
}

export function makeEvent(event: Partial<Event> & { seq: number }): Event {
  return {
    feed: 'ops',
    event: 'message',
    data: '',
    data_truncated: false,
    id: '',
    origin: 'https://example.org',
    received_at: new Date().toISOString(),
    outcome: 'shown',
    reason: { code: 'default', rule: null, detail: '' },
    title: `Event ${event.seq}`,
    body: '',
    url: null,
    urgency: 'normal',
    key: null,
    icon: null,
    group: null,
    sound: 'default',
    expire_seconds: null,
    buttons: [],
    read: false,
    summary: null,
    ...event,
  }
}
