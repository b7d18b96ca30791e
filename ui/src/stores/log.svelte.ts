import type { Event } from '../generated/Event'
import type { EventPage } from '../generated/EventPage'
import type { EventQuery } from '../generated/EventQuery'
import type { OpenWindow } from '../generated/OpenWindow'
import { Failure, type Transport } from '../transport/transport'
import type { Listener } from './resident.svelte'
import type { Route } from './route.svelte'

/** Events asked for at once. */
const PAGE = 200
/** Most events that one request gives. */
const MAX_PAGE = 1000
/** Events kept in memory while the list stands at its top; older ones are fetched again when scrolled to. */
const KEEP = 2000
/** Pause between two drawings of what arrived, in milliseconds. */
const DRAW = 50
/** Pause in typing after which a search is asked for, and in arrivals after which one is asked for anew, in milliseconds. */
const SETTLE = 200

export type Show = 'all' | 'unread' | 'held_back'

/** The log view: a filter, the newest events under it as far as scrolled, and the one that is being read. */
export class Log implements Listener {
  /** The feed that is looked at; `null`: all. */
  feed = $state<string | null>(null)
  search = $state('')
  show = $state<Show>('all')
  /** The popup whose events are looked at, and no others; `null`: all. */
  summary = $state<number | null>(null)

  /** Newest first. */
  events = $state.raw<Event[]>([])
  /** What is being fetched. */
  loading = $state<'first' | 'more' | null>('first')
  failure = $state.raw<Failure | null>(null)
  /** The event that is being read, with all its data once that came. */
  current = $state.raw<Event | null>(null)
  /** Whether it fills a window that has no room for both list and event. */
  reading = $state(false)
  /** The newest arrival, for those who cannot see it. */
  announced = $state.raw<Event | null>(null)

  #before: number | null = null
  /** Grows with each change of the filter, so that answers to an older one are known as such. */
  generation = $state(0)
  #settling: ReturnType<typeof setTimeout> | undefined
  #atTop = true
  /** The event that the person asked to read last. */
  #wanted: number | null = null
  /** What arrived since the list was last drawn anew: a burst is drawn as one. */
  #arrivals: Event[] = []
  #drawing: ReturnType<typeof setTimeout> | undefined

  constructor(
    readonly transport: Transport,
    readonly route: Route,
  ) {}

  /** Whether there are older events than those in `events`. */
  get more(): boolean {
    return this.#before !== null
  }

  /** Whether nothing but the feed narrows the list. */
  get unfiltered(): boolean {
    return this.search.trim() === '' && this.show === 'all' && this.summary === null
  }

  /** Looks at the events of a feed, or of all; of one popup alone if that is given. */
  showFeed(feed: string | null, summary: number | null = null): void {
    this.feed = feed
    this.search = ''
    this.summary = summary
    this.close()
    this.current = null
    void this.load()
  }

  /** Looks at the events that one popup told of together, or at all again. */
  showSummary(summary: number | null): void {
    this.show = 'all'
    this.showFeed(null, summary)
  }

  setShow(show: Show): void {
    this.show = show
    void this.load()
  }

  setSearch(search: string): void {
    this.search = search
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => void this.load(), search === '' ? 0 : SETTLE)
  }

  /** Fetches the newest page under the filter. */
  async load(): Promise<void> {
    const generation = ++this.generation
    this.loading = 'first'
    this.failure = null
    try {
      const page = await this.#fetch({ limit: PAGE })
      if (generation !== this.generation) return
      const newest = page.events[0]?.seq ?? 0
      const arrived = this.events.filter((event) => event.seq > newest && this.#fits(event))
      this.events = this.search.trim() === '' ? merge(page.events, arrived) : page.events
      this.#before = page.next_before
    } catch (thrown) {
      if (generation !== this.generation) return
      this.events = []
      this.#before = null
      this.failure = Failure.from(thrown)
    }
    this.loading = null
  }

  /** Fetches the page after the last one. */
  async loadMore(): Promise<void> {
    if (this.loading || this.#before === null || this.failure) return
    const generation = this.generation
    this.loading = 'more'
    try {
      const page = await this.#fetch({ limit: PAGE, before: this.#before })
      if (generation !== this.generation) return
      this.events = merge(this.events, page.events)
      this.#before = page.next_before
    } catch (thrown) {
      if (generation !== this.generation) return
      this.failure = Failure.from(thrown)
    }
    this.loading = null
  }

  #fetch(query: EventQuery): Promise<EventPage> {
    const parameters = new URLSearchParams({ preview: 'true' })
    for (const [name, value] of Object.entries({ ...this.#filter(), ...query })) parameters.set(name, String(value))
    return this.transport.request<EventPage>('GET', `/events?${parameters}`)
  }

  #filter(): EventQuery {
    const search = this.search.trim()
    return {
      ...(this.feed === null ? {} : { feed: this.feed }),
      ...(search === '' ? {} : { search }),
      ...(this.show === 'unread' ? { unread: true } : {}),
      ...(this.show === 'held_back' ? { held_back: true } : {}),
      ...(this.summary === null ? {} : { summary: this.summary }),
    }
  }

  /** Told by the list, which must not lose rows that are in sight. */
  setAtTop(atTop: boolean): void {
    this.#atTop = atTop
  }

  // What the program tells

  fresh(): void {
    void this.load()
  }

  arrived(event: Event): void {
    this.#arrivals.push(event)
    this.#drawing ??= setTimeout(() => this.#draw(), DRAW)
  }

  #draw(): void {
    const arrivals = this.#arrivals.reverse()
    this.#arrivals = []
    this.#drawing = undefined
    this.announced = arrivals.find((event) => event.outcome !== 'ignored') ?? this.announced
    // Whether it fits a search only the event log knows.
    if (this.search.trim() !== '') return this.#renewSoon()
    const fitting = arrivals.filter((event) => this.#fits(event))
    if (fitting.length === 0) return
    this.events = merge(this.events, fitting)
    if (this.#atTop && this.events.length > KEEP + PAGE) {
      this.events = this.events.slice(0, KEEP)
      this.#before = this.events.at(-1)?.seq ?? null
    }
  }

  /** Drawn with the next page that is fetched. */
  connection(): void {}

  changed(): void {
    this.#renewSoon()
  }

  open(request: OpenWindow): void {
    this.route.go({ view: 'events' })
    if (request.summary !== undefined) this.showSummary(request.summary)
    if (request.event === undefined) return
    const seq = request.event
    this.#wanted = seq
    if (request.summary === undefined && (this.feed !== null || !this.unfiltered)) {
      this.show = 'all'
      this.showFeed(null)
    }
    void this.#readBySeq(seq)
  }

  #fits(event: Event): boolean {
    if (this.feed !== null && event.feed !== this.feed) return false
    if (this.summary !== null && event.summary !== this.summary) return false
    const told = event.outcome === 'shown' || event.outcome === 'summarized'
    if (this.show === 'held_back') return !told
    if (event.outcome === 'ignored') return false
    return this.show === 'all' || (told && !event.read)
  }

  #renewSoon(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => void this.#renew(), SETTLE)
  }

  /** Fetches what is there anew, in place. */
  async #renew(): Promise<void> {
    if (this.loading === 'first') return
    const generation = this.generation
    const limit = Math.min(MAX_PAGE, Math.max(PAGE, this.events.length))
    let page: EventPage
    try {
      page = await this.#fetch({ limit })
    } catch {
      return // What is there stays; the end of the updates, or the next load, will tell.
    }
    if (generation !== this.generation) return
    const oldest = page.next_before === null ? 0 : (page.events.at(-1)?.seq ?? 0)
    const renewed = new Set(page.events.map((event) => event.seq))
    // An event that is unread no more stays in sight until the filter changes: the person is just reading it.
    const kept = this.events
      .filter((event) => !renewed.has(event.seq) && (event.seq < oldest || this.show === 'unread'))
      .map((event) => (event.seq < oldest ? event : { ...event, read: true }))
    const beyond = kept.some((event) => event.seq < oldest)
    if (!beyond) this.#before = page.next_before
    this.events = merge(kept, page.events)
    const current = page.events.find((event) => event.seq === this.current?.seq)
    if (current && this.current) {
      this.current = { ...current, data: this.current.data, data_truncated: this.current.data_truncated }
    }
  }

  // What the person does

  /** Reads an event: shows it, fetches the rest of its data, marks it read. */
  read(event: Event): void {
    this.current = event
    this.reading = true
    this.#wanted = event.seq
    if (event.data_truncated) void this.#readBySeq(event.seq)
    if (!event.read) void this.#markSeen(event)
  }

  /** Goes back to the list, in a window that has no room for both. */
  close(): void {
    this.reading = false
  }

  /** Reads the event that stands `steps` below (or above) the current one. */
  move(steps: number): void {
    const at = this.events.findIndex((event) => event.seq === this.current?.seq)
    const to = at === -1 ? 0 : Math.min(this.events.length - 1, Math.max(0, at + steps))
    const event = this.events[to]
    if (!event || (at === to && this.current)) return
    const reading = this.reading
    this.read(event)
    this.reading = reading
    if (to > this.events.length - PAGE / 4) void this.loadMore()
  }

  async #readBySeq(seq: number): Promise<void> {
    let event: Event
    try {
      event = await this.transport.request<Event>('GET', `/events/${seq}`)
    } catch {
      return // What the list has of it stays; an event that is gone has nothing to show.
    }
    if (this.#wanted !== seq) return
    const read = this.current?.seq === seq ? this.current.read : event.read
    this.current = { ...event, read }
    this.reading = true
    if (!read) void this.#markSeen(event)
  }

  /** A mark that fails is no news to the person: the event stays unread and is marked when it is read again. */
  async #markSeen(event: Event): Promise<void> {
    await this.mark(event, true).catch(() => this.#setRead((other) => other.seq === event.seq, false))
  }

  async mark(event: Event, read: boolean): Promise<void> {
    this.#setRead((other) => other.seq === event.seq, read)
    await this.transport.request('POST', '/events/read', { seqs: [event.seq], read })
  }

  /** Marks all events of the feed that is looked at, or of all, as read. */
  async markAllRead(): Promise<void> {
    const { feed, summary } = this
    if (summary !== null) {
      this.#setRead((event) => event.summary === summary, true)
      await this.transport.request('POST', '/events/read', { summary, read: true })
      return
    }
    this.#setRead((event) => feed === null || event.feed === feed, true)
    await this.transport.request('POST', '/events/read', { ...(feed === null ? {} : { feed }), read: true })
  }

  #setRead(which: (event: Event) => boolean, read: boolean): void {
    this.events = this.events.map((event) => (which(event) && event.read !== read ? { ...event, read } : event))
    if (this.current && which(this.current)) this.current = { ...this.current, read }
  }

  async openLink(event: Event): Promise<void> {
    await this.transport.request('POST', `/events/${event.seq}/open`)
  }
}

/** Both lists in one, newest first; where both hold an event, `newer` counts. */
function merge(older: Event[], newer: Event[]): Event[] {
  const last = newer.at(-1)
  if (last && (older[0]?.seq ?? 0) < last.seq) return [...newer, ...older]
  const bySeq = new Map(older.map((event) => [event.seq, event]))
  for (const event of newer) bySeq.set(event.seq, event)
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq)
}
