import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Event } from '../generated/Event'
import type { Exported } from '../generated/Exported'
import type { ExportFormat } from '../generated/ExportFormat'
import type { MarkRead } from '../generated/MarkRead'
import type { OpenWindow } from '../generated/OpenWindow'
import { wanted } from '../lib/highlight'
import { Failure, type Transport } from '../transport/transport'
import { EVERYTHING, filterOf, fits, isOpen, placeOf, queryOf, sameFilter, tellsConnections, type Filter } from './log-filter'
import { LogList } from './log-list.svelte'
import type { Listener } from './resident.svelte'
import type { Route } from './route.svelte'

/** Pause between two drawings of what arrived, in milliseconds. */
const DRAW = 50
/** Pause in typing after which a search is asked for, in milliseconds. */
const SETTLE = 200
/** Pause between two looks at what changed, in milliseconds. */
const RENEW = 300
/** Pause between two announcements of arrivals, in milliseconds. */
const ANNOUNCE = 4000
/** Most events that are marked, deleted or exported by their numbers at once. */
export const MOST_SELECTED = 1000

/** The log view: a filter, which is part of the window's place, the list under it, and the event that is being read. */
export class Log implements Listener {
  filter = $state.raw<Filter>(EVERYTHING)
  /** What stands in the search field; the filter follows when the typing pauses. */
  search = $state('')
  /** Whether the first page of a list is being fetched. */
  loading = $state(true)
  failure = $state.raw<Failure | null>(null)
  /** The event that is being read, with all its data once that came. */
  current = $state.raw<Event | null>(null)
  /** Why the rest of its data could not be fetched. */
  incomplete = $state.raw<Failure | null>(null)
  /** What was deleted last, and the message that tells of it. */
  deleted = $state.raw<{ seqs: number[]; toast: number } | null>(null)
  /** Whether it fills a window that has no room for both list and event. */
  reading = $state(false)
  /** Chosen beside `current`, to be dealt with together. */
  selected = $state.raw<ReadonlySet<number>>(new Set())
  /** The newest arrival, and how many there were since the last was announced, for those who cannot see them. */
  announced = $state.raw<{ event: Event; count: number } | null>(null)

  readonly wanted = $derived(wanted(this.filter.search))

  #list = $state.raw() as LogList
  #typing: ReturnType<typeof setTimeout> | undefined
  #drawing: ReturnType<typeof setTimeout> | undefined
  #renewing: ReturnType<typeof setTimeout> | undefined
  #announcing: ReturnType<typeof setTimeout> | undefined
  /** What arrived since the list was last drawn anew: a burst is drawn as one. */
  #arrivals: Event[] = []
  /** What arrived while a list was being fetched, and so may be in it or not. */
  #meanwhile: Event[] = []
  /** Whether the list was asked for before the program had told its status. */
  #early = false
  /** Whether something changed while a list was being fetched. */
  #missed = false
  #unannounced: { event: Event; count: number } | null = null
  /** The event that the person asked to read last. */
  #asked: number | null = null
  #loads = 0
  #lastSelected: number | null = null

  constructor(
    readonly transport: Transport,
    readonly route: Route,
  ) {
    this.#list = new LogList(transport, {}, false, false)
  }

  get list(): LogList {
    return this.#list
  }

  /** Whether nothing but the feed narrows the list. */
  get unfiltered(): boolean {
    return isOpen(this.filter)
  }

  /** Whether there is no event under the filter, as far as is known. */
  get empty(): boolean {
    return this.list.count === 0
  }

  // What is looked at

  /** Asks for the newest events before the program has told its status: each takes a while. */
  start(): void {
    if (this.route.view !== 'events') return
    this.#early = true
    this.#look(filterOf(this.route.feed, this.route.query))
  }

  /** Looks at what the window's place says. */
  follow(): void {
    if (this.route.view !== 'events') return
    const filter = filterOf(this.route.feed, this.route.query)
    if (sameFilter(filter, this.filter)) return
    if (filter.feed !== this.filter.feed || filter.summary !== this.filter.summary) this.forget()
    this.#look(filter)
  }

  /** Narrows the list, or widens it: goes to the place of the same filter but for this. `replace`: going back skips this one. */
  narrow(change: Partial<Filter>, replace = false): void {
    clearTimeout(this.#typing)
    const filter = { ...this.filter, search: this.search, ...change }
    this.route.go({ view: 'events', feed: filter.feed, query: placeOf(filter) }, replace)
    this.follow()
  }

  /** “The last hour” and the like go on with the time. */
  async pass(now: number): Promise<void> {
    if (this.filter.time === null || this.loading) return
    await this.list.narrow(queryOf(this.filter, now))
  }

  /** Lets go of every filter but the feed. */
  clear(): void {
    this.narrow({ ...EVERYTHING, feed: this.filter.feed })
  }

  setSearch(search: string): void {
    this.search = search
    clearTimeout(this.#typing)
    if (search === '') this.narrow({}, true)
    else this.#typing = setTimeout(() => this.narrow({}, true), SETTLE)
  }

  /** The view is left: what was being typed leads nowhere any more. */
  leave(): void {
    clearTimeout(this.#typing)
    this.search = this.filter.search
  }

  #look(filter: Filter): void {
    clearTimeout(this.#typing)
    this.filter = filter
    this.search = filter.search
    this.selected = new Set()
    const list = new LogList(this.transport, queryOf(filter, Date.now()), tellsConnections(filter), filter.unread)
    void this.load(list)
  }

  /** Fetches the newest events under the filter; `list`: the one that is to be looked at from then on. */
  async load(list: LogList = this.list): Promise<void> {
    const load = ++this.#loads
    this.#meanwhile = []
    this.loading = true
    this.failure = null
    try {
      const page = await list.first()
      if (load !== this.#loads) return list === this.list ? undefined : list.end()
      list.begin(page)
      if (this.filter.search.trim() === '') list.arrive(this.#meanwhile.reverse().filter((event) => fits(event, this.filter)))
      void list.index()
    } catch (thrown) {
      if (load !== this.#loads) return
      this.failure = Failure.from(thrown)
    }
    if (list !== this.list) {
      this.list.end()
      this.#list = list
    }
    this.loading = false
    if (this.#missed) this.#renewSoon()
    this.#missed = false
  }

  // What the program tells

  fresh(): void {
    const { route } = this
    if (this.current?.data_truncated) void this.complete()
    const filter = route.view === 'events' ? filterOf(route.feed, route.query) : this.filter
    const same = sameFilter(filter, this.filter)
    const early = this.#early
    this.#early = false
    // What came between the answer and the first update is in neither.
    if (same && early && this.loading) this.#missed = true
    else if (same && early && !this.failure) this.#renewSoon()
    else if (same && this.list.chunks.count > 0) void this.load()
    else this.#look(filter)
  }

  arrived(event: Event): void {
    this.#arrivals.push(event)
    if (this.loading && this.#meanwhile.length < MOST_SELECTED) this.#meanwhile.push(event)
    this.#drawing ??= setTimeout(() => this.#draw(), DRAW)
  }

  #draw(): void {
    const arrivals = this.#arrivals.reverse()
    this.#arrivals = []
    this.#drawing = undefined
    const heard = arrivals.filter((event) => event.outcome !== 'ignored' && (this.filter.feed ?? event.feed) === event.feed)
    if (heard[0]) this.#announce(heard[0], heard.length)
    // Whether it fits a search only the event log knows.
    if (this.filter.search.trim() !== '') return this.#renewSoon()
    this.list.arrive(arrivals.filter((event) => fits(event, this.filter)))
  }

  /** Says the first at once, and what follows soon after as a number. */
  #announce(event: Event, count: number): void {
    if (this.#announcing !== undefined) {
      this.#unannounced = { event, count: count + (this.#unannounced?.count ?? 0) }
      return
    }
    this.announced = { event, count }
    this.#announcing = setTimeout(() => {
      this.#announcing = undefined
      const later = this.#unannounced
      this.#unannounced = null
      if (later) this.#announce(later.event, later.count)
    }, ANNOUNCE)
  }

  connection(change: ConnectionChange): void {
    if (this.list.connections && (this.filter.feed ?? change.feed) === change.feed) this.list.note(change)
  }

  changed(): void {
    this.#renewSoon()
  }

  #renewSoon(): void {
    this.#renewing ??= setTimeout(() => void this.#renew(), RENEW)
  }

  /** Fetches anew what is in sight, and the event that is being read. */
  async #renew(): Promise<void> {
    this.#renewing = undefined
    const { list, current } = this
    // What is being fetched may be as it was before.
    if (this.loading) return void (this.#missed = true)
    if (this.filter.search.trim() === '' && list.chunks.count > 0) list.stale()
    else await this.#renewHead(list)
    if (!current) return
    const event = await this.#get(current.seq)
    if (!event || this.current?.seq !== event.seq) return
    this.current = event
    this.incomplete = null
  }

  /** Adds what a search finds by now. */
  async #renewHead(list: LogList): Promise<void> {
    try {
      const page = await list.first()
      if (list !== this.list) return
      const empty = list.chunks.count === 0
      const reaches = (page.events.at(-1)?.seq ?? 0) <= list.chunks.newest
      list.begin(page)
      if (!reaches || empty) await list.index()
    } catch {
      // What is there stays; the end of the updates, or the next load, will tell.
    }
  }

  open(request: OpenWindow): void {
    const { event, summary = null } = request
    if (summary !== null || event === undefined || this.filter.feed !== null || !this.unfiltered || this.route.view !== 'events') {
      this.route.go({ view: 'events', query: placeOf({ ...EVERYTHING, summary }) })
      this.follow()
    }
    if (event === undefined) return
    this.#asked = event
    void this.#readBySeq(event)
  }

  // What the person does

  /** Reads an event: shows it, fetches the rest of its data, marks it read. */
  read(event: Event, open = true): void {
    this.selected = new Set()
    this.#asked = event.seq
    this.current = event
    if (open) this.reading = true
    this.list.revealed = event.seq
    this.incomplete = null
    if (event.data_truncated) void this.complete()
    if (!event.read) void this.#markSeen(event)
  }

  /** Fetches the rest of the data of the event that is being read. */
  async complete(): Promise<void> {
    if (!this.current) return
    const { seq } = this.current
    this.incomplete = null
    try {
      const event = await this.transport.request<Event>('GET', `/events/${seq}`)
      if (this.current?.seq === seq) this.current = { ...event, read: this.current.read }
    } catch (thrown) {
      if (this.current?.seq === seq) this.incomplete = Failure.from(thrown)
    }
  }

  /** Goes back to the list, in a window that has no room for both. */
  close(): void {
    this.reading = false
  }

  /** Reads no event any more. */
  forget(): void {
    this.close()
    this.current = null
    this.#asked = null
  }

  /** Reads the event that stands `steps` below (or above) the current one; the first or last of all with an infinite number. */
  async move(steps: number): Promise<void> {
    const { list } = this
    const from = this.#asked ?? this.current?.seq ?? null
    const event = await (Number.isFinite(steps) ? list.step(from, steps) : list.at(steps < 0 ? 0 : list.chunks.count - 1))
    if (!event || list !== this.list || event.seq === this.current?.seq) return
    this.read(event, false)
  }

  /** Chooses an event beside others, or no longer. */
  select(seq: number): void {
    const selected = new Set(this.selected)
    if (selected.size === 0 && this.current && this.current.seq !== seq) selected.add(this.current.seq)
    if (!selected.delete(seq) && selected.size < MOST_SELECTED) selected.add(seq)
    this.selected = selected
    this.#lastSelected = seq
  }

  /** Chooses all from the current event to this one. */
  async selectTo(seq: number): Promise<void> {
    const { list } = this
    const events = await list.between(this.current?.seq ?? seq, seq, MOST_SELECTED)
    if (list !== this.list) return
    this.selected = new Set(events.map((event) => event.seq))
    this.#lastSelected = seq
    list.revealed = seq
  }

  /** Chooses one more, or one less, below or above. */
  async extend(steps: number): Promise<void> {
    const from = this.selected.size > 0 ? this.#lastSelected : (this.current?.seq ?? null)
    const event = await this.list.step(from, steps)
    if (event) await this.selectTo(event.seq)
  }

  async selectAll(): Promise<void> {
    const { list } = this
    const [first, last] = [await list.at(0), await list.at(Math.min(MOST_SELECTED, list.chunks.count) - 1)]
    if (!first || !last) return
    const events = await list.between(first.seq, last.seq, MOST_SELECTED)
    if (list === this.list) this.selected = new Set(events.map(({ seq }) => seq))
  }

  deselect(): void {
    this.selected = new Set()
  }

  async #readBySeq(seq: number, open = true): Promise<void> {
    const event = await this.#get(seq)
    // An event that is gone has nothing to show; what the list has of it stays.
    if (!event || this.#asked !== seq) return
    const read = this.current?.seq === seq ? this.current.read : event.read
    this.current = { ...event, read }
    this.incomplete = null
    if (open) this.reading = true
    this.list.revealed = seq
    if (!read) void this.#markSeen(event)
  }

  async #get(seq: number): Promise<Event | undefined> {
    return this.transport.request<Event>('GET', `/events/${seq}`).catch(() => undefined)
  }

  /** A mark that fails is no news to the person: the event stays unread and is marked when it is read again. */
  async #markSeen(event: Event): Promise<void> {
    await this.mark([event.seq], true).catch(() => undefined)
  }

  async mark(seqs: number[], read: boolean): Promise<void> {
    const which = new Set(seqs)
    await this.#mark({ seqs, read }, ({ seq }) => which.has(seq))
  }

  /** Marks all events of the feed that is looked at, or of all, or of the one popup, as read. */
  async markAllRead(): Promise<void> {
    const { feed, summary } = this.filter
    const which = summary === null ? (feed === null ? {} : { feed }) : { summary }
    await this.#mark({ ...which, read: true }, (event) => (summary === null ? feed === null || event.feed === feed : event.summary === summary))
  }

  /** Shown as done at once, and no longer if it fails. */
  async #mark(asked: MarkRead, which: (event: Event) => boolean): Promise<void> {
    const changed = new Set(this.#setRead(which, asked.read))
    try {
      await this.transport.request('POST', '/events/read', asked)
    } catch (thrown) {
      this.#setRead(({ seq }) => changed.has(seq), !asked.read)
      throw thrown
    }
  }

  #setRead(which: (event: Event) => boolean, read: boolean): number[] {
    const changed = this.list.setRead(which, read)
    const { current } = this
    if (!current || current.read === read || !which(current)) return changed
    this.current = { ...current, read }
    return [...changed, current.seq]
  }

  /** Deletes events, and reads what stood after them. */
  async delete(seqs: number[]): Promise<void> {
    const { list, current } = this
    const gone = current !== null && seqs.includes(current.seq)
    const place = gone ? list.chunks.placeOf(current.seq) : 0
    await this.transport.request('POST', '/events/delete', { seqs })
    list.remove(seqs)
    this.selected = new Set()
    if (!gone || this.current !== current) return
    this.forget()
    const next = list === this.list && list.chunks.count > 0 ? await list.at(Math.min(place, list.chunks.count - 1)) : undefined
    if (next && this.current === null) this.read(next, false)
  }

  /** Takes a deletion back. */
  async restore(seqs: number[]): Promise<void> {
    await this.transport.request('POST', '/events/restore', { seqs })
    await this.load()
  }

  async openLink(event: Event): Promise<void> {
    await this.transport.request('POST', `/events/${event.seq}/open`)
  }

  /** Shows an event's popup once more. */
  async show(event: Event): Promise<void> {
    await this.transport.request('POST', `/events/${event.seq}/show`)
  }

  /** Writes the events of the list to a file. */
  async export(format: ExportFormat): Promise<Exported> {
    return this.transport.request<Exported>('POST', '/events/export', { format, query: this.list.query })
  }

  async openExports(): Promise<void> {
    await this.transport.request('POST', '/exports/open')
  }
}
