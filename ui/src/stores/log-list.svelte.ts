import { untrack } from 'svelte'
import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Event } from '../generated/Event'
import type { EventIndex } from '../generated/EventIndex'
import type { EventPage } from '../generated/EventPage'
import type { EventQuery } from '../generated/EventQuery'
import { Chunks, STEP } from '../lib/chunks'
import type { Chunk } from '../lib/rows'
import { Failure, type Transport } from '../transport/transport'

/** Most events that one request gives. */
const MAX_PAGE = 1000
/** Requests under way at once: while a scrollbar is dragged, what was passed by is not asked for. */
const AT_ONCE = 2
/** How near to what is in sight, in pixels, chunks are fetched at least. */
const NEAR = 2400
/** Pause after a request that failed, in milliseconds, if nobody asks for it earlier. */
const RETRY = 3000

/** The list of events under one query, fetched as it is looked at. */
export class LogList {
  /** Grows with each change; what is drawn depends on it. */
  version = $state(0)
  /** Why what is in sight could not be fetched. */
  failure = $state.raw<Failure | null>(null)
  chunks = new Chunks()
  /** Asks for the event that is to be in sight, once it is there. */
  revealed = $state<number | null>(null)

  #wanted: Chunk[] = []
  #fetching = new Map<Chunk, Promise<void>>()
  #retry: ReturnType<typeof setTimeout> | undefined
  #ended = false
  /** A newest page that does not reach down to what was known before. */
  #missed: EventPage | null = null
  /** Marked as read here: they stay in a list of unread ones. */
  #marked = new Set<number>()

  /** `connections`: what happened to them is told between the events; `keepRead`: those that are unread no more stay. */
  constructor(
    readonly transport: Transport,
    public query: EventQuery,
    readonly connections: boolean,
    readonly keepRead: boolean,
  ) {}

  get count(): number {
    void this.version
    return this.chunks.count
  }

  /** Whether `count` is known to be right. */
  get counted(): boolean {
    void this.version
    return this.chunks.counted
  }

  get height(): number {
    void this.version
    return this.chunks.height
  }

  // Fetching

  /** Fetches the newest page. */
  async first(): Promise<EventPage> {
    return this.#page({ limit: STEP })
  }

  /** Begins with the newest page, or goes on with it: what was fetched stays until it is known to be otherwise. */
  begin(page: EventPage): void {
    const overlapping = (page.events.at(-1)?.seq ?? Infinity) <= this.chunks.newest
    if (page.events.length > 0 && this.chunks.count > 0 && (overlapping || this.chunks.counted)) {
      this.#missed = overlapping ? null : page
      this.chunks.arrive(page.events)
      this.stale()
    } else {
      this.chunks = Chunks.of(page)
      this.#changed()
    }
  }

  /** Learns how long the list is, and where its days are. A program without an index leaves it as it is. */
  async index(): Promise<void> {
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const asked = parameters({ ...this.query, step: STEP, time_zone })
    try {
      const index = await this.transport.request<EventIndex>('GET', `/events/index?${asked}`)
      if (this.#ended) return
      this.chunks = this.chunks.indexed(index)
    } catch {
      // Without it the list goes on page by page, and what lies between the newest and what was known is not.
      if (this.#missed) this.chunks = Chunks.of(this.#missed)
    }
    this.#missed = null
    this.#changed()
  }

  /** The same list with a later beginning: what is older goes, and what is looked at stays where it is. */
  async narrow(query: EventQuery): Promise<void> {
    if (query.since === undefined || query.since === this.query.since) return
    const since = Date.parse(query.since)
    this.query = query
    const rows = this.chunks.list.flatMap((chunk) => chunk.rows ?? [])
    const old = rows.filter(({ received_at }) => Date.parse(received_at) < since)
    if (old.length > 0) this.remove(old.map(({ seq }) => seq))
    // What was never fetched may be older as well.
    if (this.chunks.list.some((chunk) => !chunk.rows)) await this.index()
  }

  /** Takes note of what is in sight, and fetches what of it is not there. */
  look(from: number, to: number): void {
    const near = Math.max(NEAR, to - from)
    const seen = this.chunks.look(from - near, to + near)
    const missing = (chunk: Chunk) => (!chunk.rows || chunk.stale) && !this.#fetching.has(chunk)
    const inSight = (chunk: Chunk) => chunk.y < to && chunk.y + chunk.height > from
    this.#wanted = seen.filter(missing).sort((a, b) => Number(inSight(b)) - Number(inSight(a)))
    this.#work()
  }

  #work(): void {
    if (this.#ended || this.#retry !== undefined) return
    while (this.#fetching.size < AT_ONCE) {
      const chunk = this.#wanted.shift()
      if (!chunk) return
      void this.fetch(chunk)
    }
  }

  /** Fetches a chunk's events; one that is being fetched is waited for. */
  fetch(chunk: Chunk): Promise<void> {
    const running = this.#fetching.get(chunk)
    if (running) return running
    const fetching = this.#fetch(chunk).finally(() => {
      this.#fetching.delete(chunk)
      this.#work()
    })
    this.#fetching.set(chunk, fetching)
    return fetching
  }

  async #fetch(chunk: Chunk): Promise<void> {
    const { chunks } = this
    const head = chunks.list[0] === chunk
    const { newest } = chunks
    const bottom = chunk.open ? 0 : chunks.bottom(chunk)
    const rows: Event[] = []
    const changes: ConnectionChange[] = []
    let before: number | null = head ? null : chunk.top + 1
    chunk.stale = false
    try {
      do {
        // One more than it has shows that there is nothing in between.
        const limit = chunk.open ? STEP : Math.min(MAX_PAGE, chunk.count + 1)
        const page: EventPage = await this.#page({ limit, ...(before === null ? {} : { before }) })
        rows.push(...page.events.filter(({ seq }) => seq > bottom))
        changes.push(...page.connections)
        before = page.next_before
      } while (before !== null && !chunk.open && before > bottom)
    } catch (thrown) {
      chunk.stale = chunk.rows !== null
      this.#failed(Failure.from(thrown))
      return
    }
    if (this.#ended) return
    this.failure = null
    // Another index may have come meanwhile; then the chunk is of a list that is no more.
    if (this.chunks !== chunks) return this.#changed()
    const kept = this.keepRead && !chunk.open ? withRead(chunk.rows ?? [], rows, this.#marked) : rows
    chunks.fill(chunk, kept, changes, chunk.open ? before : null, newest)
    chunks.forget()
    this.#changed()
  }

  #failed(failure: Failure): void {
    if (this.#ended) return
    this.failure = failure
    this.#retry ??= setTimeout(() => this.retry(), RETRY)
  }

  /** Tries again what could not be fetched. */
  retry(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#changed()
  }

  #page(query: EventQuery): Promise<EventPage> {
    const connections = this.connections ? { connections: true } : {}
    return this.transport.request<EventPage>('GET', `/events?${parameters({ ...this.query, preview: true, ...connections, ...query })}`)
  }

  /** Nothing that is under way counts any more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#retry)
  }

  // What comes and goes

  arrive(events: Event[]): void {
    if (events.length === 0) return
    this.chunks.arrive(events)
    this.chunks.forget()
    this.#changed()
  }

  note(change: ConnectionChange): void {
    this.chunks.note(change)
    this.#changed()
  }

  /** Marks events as read, or unread again; the numbers of those that were not so before. */
  setRead(which: (event: Event) => boolean, read: boolean): number[] {
    const changes = (event: Event) => event.read !== read && which(event)
    const seqs: number[] = []
    for (const chunk of this.chunks.list) {
      const changed = chunk.rows?.filter(changes) ?? []
      if (changed.length === 0) continue
      seqs.push(...changed.map(({ seq }) => seq))
      chunk.change((event) => (changes(event) ? { ...event, read } : event))
    }
    if (this.keepRead) for (const seq of seqs) this.#marked[read ? 'add' : 'delete'](seq)
    this.#changed()
    return seqs
  }

  remove(seqs: number[]): void {
    this.chunks.remove(new Set(seqs))
    this.#changed()
  }

  /** Anything may have changed: what is in sight is fetched anew, in place. */
  stale(): void {
    for (const chunk of this.chunks.list) chunk.stale = chunk.rows !== null
    this.#changed()
  }

  #changed(): void {
    // Told from within effects as well, which must not run anew because of it.
    untrack(() => (this.version += 1))
  }

  // Where things are

  /** The event so many places after (or before) another; from the top without one. Fetched if need be. */
  async step(from: number | null, steps: number): Promise<Event | undefined> {
    const { chunks } = this
    const place = from === null ? 0 : chunks.placeOf(from) + steps
    return this.at(Math.max(0, Math.min(chunks.count - 1, place)))
  }

  /** The event at a place of the list. */
  async at(place: number): Promise<Event | undefined> {
    const chunk = this.chunks.at(place)
    if (!chunk) return undefined
    if (!chunk.rows) await this.fetch(chunk)
    const there = this.chunks.at(place)
    return there?.rows?.[Math.min(there.count - 1, place - there.place)]
  }

  /** The events from one to another, whichever stands above, and at most so many. */
  async between(from: number, to: number, most: number): Promise<Event[]> {
    const [high, low] = from > to ? [from, to] : [to, from]
    const begin = this.chunks.placeOf(high)
    const end = Math.min(begin + most, this.chunks.placeOf(low) + 1)
    const events: Event[] = []
    for (let place = begin; place < end; place++) {
      const event = await this.at(place)
      if (event) events.push(event)
    }
    return events
  }
}

function parameters(query: EventQuery): URLSearchParams {
  return new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
}

/** What was there and was marked here, among what was fetched: the person is just reading it. Anything else that is missing is gone. */
function withRead(had: Event[], fetched: Event[], marked: ReadonlySet<number>): Event[] {
  const there = new Set(fetched.map(({ seq }) => seq))
  const kept = had.filter(({ seq }) => marked.has(seq) && !there.has(seq)).map((event) => ({ ...event, read: true }))
  return kept.length === 0 ? fetched : [...fetched, ...kept].sort((a, b) => b.seq - a.seq)
}
