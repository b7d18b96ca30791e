import type { Attention } from '../generated/Attention'
import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Event } from '../generated/Event'
import type { Feed } from '../generated/Feed'
import type { OpenWindow } from '../generated/OpenWindow'
import type { Part } from '../generated/Part'
import type { SnoozeWish } from '../generated/SnoozeWish'
import type { Status } from '../generated/Status'
import type { Update } from '../generated/Update'
import { setLocale } from '../i18n/messages.svelte'
import type { Transport } from '../transport/transport'

/** Longest wait between two attempts to reach the program, in milliseconds. */
const MAX_WAIT = 3000

/** How often feeds are asked for that nothing was told of, in milliseconds: their signs of life are told by nobody. */
const LOOK = 60_000

/** What the log is told of the program's updates. */
export interface Listener {
  /** Everything may have changed: a first or new connection, or missed updates. */
  fresh(): void
  arrived(event: Event): void
  changed(): void
  connection(change: ConnectionChange): void
  open(request: OpenWindow): void
}

/** The resident program as the window knows it: its status and feeds, live, and whether it answers. */
export class Resident {
  /** The newest status; `null` until the first one came. */
  status = $state.raw<Status | null>(null)
  /** Whether updates are flowing. */
  online = $state(false)
  /** Whether an attempt to reach it has failed since it was last online. */
  offline = $state(false)
  /** Grows with each whole status, which may mean that settings have changed. */
  told = $state(0)
  /** Grows each time that it answers again after it did not. */
  returned = $state(0)

  #listener: Listener | undefined
  /** Counts what has been told of feeds: an answer to a question from before is older than that. */
  #tellings = 0
  /** The order in which feeds are shown, whatever the program says. */
  #held: Feed[] | null = null

  constructor(readonly transport: Transport) {}

  get feeds(): Feed[] {
    return this.status?.feeds ?? []
  }

  get unread(): number {
    return this.feeds.reduce((sum, feed) => sum + feed.counts.unread, 0)
  }

  get missingParts(): Part[] {
    return this.status?.parts.filter((part) => !part.available) ?? []
  }

  get attention(): Attention {
    return this.status?.attention ?? { snoozed_until: null, quiet_until: null, held: 0 }
  }

  feed(id: string | null): Feed | undefined {
    return this.feeds.find((feed) => feed.id === id)
  }

  /** Follows the program until the returned function is called; reconnects for as long as that takes. */
  start(listener: Listener): () => void {
    this.#listener = listener
    const stop = new AbortController()
    void this.#follow(stop.signal)
    const look = setInterval(() => void this.#look(), LOOK)
    return () => {
      clearInterval(look)
      stop.abort()
    }
  }

  async #follow(stop: AbortSignal): Promise<void> {
    let wait = MAX_WAIT / 8
    while (!stop.aborted) {
      try {
        await this.transport.follow((update) => this.#receive(update), stop)
      } catch {
        // The same as an end: there is nobody to ask why.
      }
      if (stop.aborted) return
      wait = this.online ? MAX_WAIT / 8 : Math.min(MAX_WAIT, wait * 2)
      this.online = false
      this.offline = true
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  #receive(update: Update): void {
    switch (update.kind) {
      case 'status': {
        const first = !this.online
        if (first && this.status) this.returned += 1
        this.online = true
        this.offline = false
        this.take(update.value)
        if (first) this.#listener?.fresh()
        break
      }
      case 'feed':
        this.put(update.value)
        break
      case 'event':
        this.#listener?.arrived(update.value)
        break
      case 'connection_change':
        this.#listener?.connection(update.value)
        break
      case 'events_changed':
        this.#listener?.changed()
        break
      case 'open_window':
        this.#listener?.open(update.value)
        break
      case 'lagged':
        void this.#refresh()
        break
      case 'quit':
        // The window's own program closes it.
        break
    }
  }

  /** Fetches the feeds while somebody may be looking at them. */
  async #look(): Promise<void> {
    if (!this.online || document.hidden) return
    const asked = this.#tellings
    try {
      const feeds = await this.transport.request<Feed[]>('GET', '/feeds')
      if (!this.status || asked !== this.#tellings) return
      this.status = { ...this.status, feeds }
      if (this.#held) this.#arrange(this.#held)
    } catch {
      // The end of the updates will tell.
    }
  }

  async #refresh(): Promise<void> {
    try {
      this.take(await this.transport.request<Status>('GET', '/status'))
    } catch {
      // The end of the updates will tell.
    }
    this.#listener?.fresh()
  }

  /** Takes on a status that an answer brought. */
  take(status: Status): void {
    this.status = status
    this.#tellings += 1
    this.told += 1
    if (this.#held) this.#arrange(this.#held)
    void setLocale(status.locale)
  }

  /** Puts a feed in its place, or at the end if it is new. */
  put(feed: Feed): void {
    this.#tellings += 1
    if (!this.status) return
    const known = this.feeds.some((other) => other.id === feed.id)
    const feeds = known ? this.feeds.map((other) => (other.id === feed.id ? feed : other)) : [...this.feeds, feed]
    this.status = { ...this.status, feeds }
  }

  /**
   * Shows the feeds in this order and these groups, before the program says so. `hold`: whatever it says of their order, until they
   * are arranged anew; what else it tells of them holds.
   */
  arrange(order: Feed[], hold = false): void {
    this.#held = hold ? order : null
    this.#arrange(order)
  }

  #arrange(order: Feed[]): void {
    if (!this.status) return
    const places = new Map(order.map(({ id, group }, at) => [id, { at, group }]))
    const feeds = this.feeds.map((feed) => ({ ...feed, group: places.has(feed.id) ? (places.get(feed.id)?.group ?? null) : feed.group }))
    const at = (feed: Feed) => places.get(feed.id)?.at ?? Infinity
    // Infinity less Infinity is no number: feeds that the order does not know stay behind, as they stood.
    this.status = { ...this.status, feeds: feeds.sort((one, other) => (at(one) === at(other) ? 0 : at(one) - at(other))) }
  }

  /** Takes a feed away. */
  drop(id: string): void {
    this.#tellings += 1
    if (this.status) this.status = { ...this.status, feeds: this.feeds.filter((feed) => feed.id !== id) }
  }

  /** Keeps the popups of a feed, or of all, away until then: `15m`, `tomorrow`, …; `null`: no longer. */
  async snooze(feed: string | null, until: string | null): Promise<void> {
    const wish: SnoozeWish = { ...(feed === null ? {} : { feed }), until }
    const attention = await this.transport.request<Attention>('PUT', '/snooze', wish)
    if (this.status) this.status = { ...this.status, attention }
  }
}
