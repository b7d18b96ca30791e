import type { ConnectionChange } from '../../generated/ConnectionChange'
import type { Event } from '../../generated/Event'
import type { EventDay } from '../../generated/EventDay'
import type { EventExport } from '../../generated/EventExport'
import type { EventIndex } from '../../generated/EventIndex'
import type { EventPage } from '../../generated/EventPage'
import type { Events } from '../../generated/Events'
import type { MarkRead } from '../../generated/MarkRead'
import { wanted, segments } from '../../lib/highlight'
import { localDay } from '../../lib/rows'
import { isTold } from '../../stores/log-filter'
import { Failure } from '../transport'
import type { Fake } from './fake'

/** Events numbered 1 to `count`, made when they are asked for: `make` gives the same for a number each time, the newer the later. */
export interface Made {
  count: number
  make: (seq: number) => Event
}

/** What a preview has of an event's data. */
const PREVIEW = 1024

/** What the made-up program answers about the log. */
export function log(fake: Fake): void {
  const shelf = new Shelf(fake)
  fake.on('GET', '/events/:seq', ({ path }) => shelf.event(Number(path.seq)))
  fake.on('GET', '/events', ({ query }) => shelf.page(query))
  fake.on('GET', '/events/index', ({ query }) => shelf.index(query))
  fake.on('GET', '/events/types', ({ query }) => shelf.types(query.get('feed')))
  fake.on<MarkRead>('POST', '/events/read', ({ body }) => shelf.mark(body))
  fake.on<Events>('POST', '/events/delete', ({ body }) => shelf.delete(body.seqs))
  fake.on<Events>('POST', '/events/restore', ({ body }) => shelf.restore(body.seqs))
  fake.on<EventExport>('POST', '/events/export', ({ body }) => {
    const { count } = shelf.index(new URLSearchParams(Object.entries(body.query).map(([name, value]) => [name, String(value)])))
    return { path: `/home/lin/Downloads/bellwether-events.${body.format}`, events: count, bytes: count * 180 }
  })
  fake.on('POST', '/exports/open', () => undefined)
  for (const verb of ['show', 'open']) fake.on('POST', `/events/:seq/${verb}`, ({ path }) => void shelf.event(Number(path.seq)))
}

/** The counts of a feed as its events have them. */
export function countFeed(fake: Fake, id: string): void {
  const feed = fake.status.feeds.find((feed) => feed.id === id)
  if (!feed) return
  const events = fake.events.filter((event) => event.feed === id)
  const unread = events.filter((event) => isTold(event) && !event.read).length
  const last_event_at = events[0]?.received_at ?? feed.last_event_at
  fake.change(id, { counts: { ...feed.counts, events: events.length, unread }, last_event_at })
}

/** The events that are kept, and below them those that are made. */
class Shelf {
  #deleted: Event[] = []
  /** Of those that are made. */
  #gone = new Set<number>()
  #read = new Map<number, boolean>()
  /** The numbers that a query finds among those that are made, newest first, as long as none of them changes. */
  #found: { key: string; seqs: Uint32Array } | null = null

  constructor(readonly fake: Fake) {}

  page(query: URLSearchParams): EventPage {
    const before = Number(query.get('before') ?? Infinity)
    const limit = Number(query.get('limit') ?? 200)
    const kept = this.fake.events.filter((event) => event.seq < before && matches(event, query))
    const events = kept.slice(0, limit + 1)
    if (events.length <= limit) events.push(...this.#madeBefore(before, limit + 1 - events.length, query))
    const more = events.length > limit
    const page = events.slice(0, limit)
    const next_before = more ? (page.at(-1)?.seq ?? null) : null
    const connections = query.has('connections') ? this.#connections(query, next_before ?? 0, before) : []
    return { events: query.has('preview') ? page.map(previewed) : page, next_before, connections }
  }

  index(query: URLSearchParams): EventIndex {
    const step = Number(query.get('step') ?? 200)
    const kept = this.fake.events.filter((event) => matches(event, query))
    const made = this.#made(query)
    const count = kept.length + made.length
    const seq = (place: number) => kept[place]?.seq ?? made.seq(place - kept.length)
    const marks = Array.from({ length: Math.ceil(count / step) }, (_, at) => seq(at * step))
    const day = (place: number) => localDay((kept[place] ?? this.#make(made.seq(place - kept.length))).received_at)
    const days: EventDay[] = []
    for (let at = 0; at < count; at = nextDay(at, count, day)) days.push({ day: day(at), at })
    return { count, step, marks, days }
  }

  types(feed: string | null): string[] {
    const made = this.fake.made
    const events = made ? Array.from({ length: Math.min(200, made.count) }, (_, at) => made.make(at + 1)) : []
    const ofFeed = [...this.fake.events, ...events].filter((event) => (feed ?? event.feed) === event.feed)
    return [...new Set(ofFeed.map(({ event }) => event))].sort()
  }

  event(seq: number): Event {
    const kept = this.fake.events.find((event) => event.seq === seq)
    if (kept) return kept
    if (!this.fake.made || seq < 1 || seq > this.fake.made.count || this.#gone.has(seq)) throw new Failure('no_such_event')
    return this.#make(seq)
  }

  mark({ seqs, feed, summary, read }: MarkRead): void {
    this.fake.events = this.fake.events.map((event) => {
      const whole = summary === undefined ? feed === undefined || event.feed === feed : event.summary === summary
      const meant = seqs ? seqs.includes(event.seq) : whole
      return meant ? { ...event, read } : event
    })
    for (const seq of seqs ?? []) this.#read.set(seq, read)
    this.#changed()
  }

  delete(seqs: number[]): void {
    this.#deleted.push(...this.fake.events.filter(({ seq }) => seqs.includes(seq)))
    this.fake.events = this.fake.events.filter(({ seq }) => !seqs.includes(seq))
    for (const seq of seqs) this.#gone.add(seq)
    this.#changed()
  }

  restore(seqs: number[]): void {
    if (!seqs.every((seq) => this.#gone.has(seq))) throw new Failure('nothing_to_restore')
    const back = this.#deleted.filter(({ seq }) => seqs.includes(seq))
    this.#deleted = this.#deleted.filter(({ seq }) => !seqs.includes(seq))
    this.fake.events = [...this.fake.events, ...back].sort((a, b) => b.seq - a.seq)
    for (const seq of seqs) this.#gone.delete(seq)
    this.#changed()
  }

  #changed(): void {
    this.#found = null
    for (const { id } of this.fake.status.feeds) countFeed(this.fake, id)
    this.fake.emit({ kind: 'events_changed' })
  }

  #make(seq: number): Event {
    const event = this.fake.made?.make(seq)
    if (!event) throw new Failure('no_such_event')
    const read = this.#read.get(seq)
    return read === undefined ? event : { ...event, read }
  }

  /** Those that are made, as a list: its length, and which number stands where. */
  #made(query: URLSearchParams): { length: number; seq: (place: number) => number; placeBefore: (before: number) => number } {
    const count = this.fake.made?.count ?? 0
    const plain = !['feed', 'event', 'search', 'unread', 'held_back', 'summary', 'outcome', 'since', 'until'].some((name) => query.has(name))
    if (plain && this.#gone.size === 0) {
      return { length: count, seq: (place) => count - place, placeBefore: (before) => Math.max(0, count - before + 1) }
    }
    const seqs = this.#search(query, count)
    return { length: seqs.length, seq: (place) => seqs[place] ?? 0, placeBefore: (before) => firstBelow(seqs, before) }
  }

  #search(query: URLSearchParams, count: number): Uint32Array {
    const key = [...query].filter(([name]) => !['before', 'limit', 'preview', 'connections', 'step', 'time_zone'].includes(name)).join('&')
    if (this.#found?.key === key) return this.#found.seqs
    const found: number[] = []
    for (let seq = count; seq > 0; seq--) if (!this.#gone.has(seq) && matches(this.#make(seq), query)) found.push(seq)
    this.#found = { key, seqs: Uint32Array.from(found) }
    return this.#found.seqs
  }

  #madeBefore(before: number, most: number, query: URLSearchParams): Event[] {
    const made = this.#made(query)
    const from = before === Infinity ? 0 : made.placeBefore(before)
    const length = Math.max(0, Math.min(most, made.length - from))
    return Array.from({ length }, (_, at) => this.#make(made.seq(from + at)))
  }

  #connections(query: URLSearchParams, first: number, before: number): ConnectionChange[] {
    const feed = query.get('feed')
    return this.fake.connections.filter((change) => change.after >= first && change.after < before && (feed ?? change.feed) === change.feed)
  }
}

function matches(event: Event, query: URLSearchParams): boolean {
  const outcomes = query.get('outcome')
  if (query.has('feed') && event.feed !== query.get('feed')) return false
  if (query.has('event') && event.event !== query.get('event')) return false
  if (query.has('summary') && event.summary !== Number(query.get('summary'))) return false
  if (query.has('unread') && (!isTold(event) || event.read)) return false
  if (outcomes !== null ? !outcomes.split(',').includes(event.outcome) : event.outcome === 'ignored') return false
  if (event.received_at < (query.get('since') ?? '')) return false
  if (query.has('until') && event.received_at >= (query.get('until') ?? '')) return false
  return holds(event, query.get('search'))
}

/** Whether an event has all the words, as the log's own search would find them. */
function holds(event: Event, search: string | null): boolean {
  if (search === null) return true
  const query = wanted(search)
  if (!query) return false
  const text = `${event.title}\n${event.body}\n${event.data}`
  return query.phrases.every((phrase) => segments(text, { phrases: [phrase] }).some(({ hit }) => hit))
}

function previewed(event: Event): Event {
  return event.data.length > PREVIEW ? { ...event, data: event.data.slice(0, PREVIEW), data_truncated: true } : event
}

/** The place of the first event of the next day, by halves: there may be a million. */
function nextDay(at: number, count: number, day: (place: number) => string): number {
  const today = day(at)
  let low = at + 1
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (day(middle) === today) low = middle + 1
    else high = middle
  }
  return low
}

/** The place of the first number below `before` in numbers that fall. */
function firstBelow(seqs: Uint32Array, before: number): number {
  let low = 0
  let high = seqs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((seqs[middle] ?? 0) < before) high = middle
    else low = middle + 1
  }
  return low
}
