import type { CredentialEdit } from '../generated/CredentialEdit'
import type { Feed } from '../generated/Feed'
import type { FeedActivity } from '../generated/FeedActivity'
import type { FeedDraft } from '../generated/FeedDraft'
import type { FeedEdit } from '../generated/FeedEdit'
import type { FeedOrder } from '../generated/FeedOrder'
import type { FeedSettings } from '../generated/FeedSettings'
import type { Probe } from '../generated/Probe'
import type { ProbeWish } from '../generated/ProbeWish'
import { placed, type Spot } from '../lib/groups'
import type { Method } from '../transport/transport'
import { Adding } from './adding.svelte'
import type { Resident } from './resident.svelte'

/** What lies over the window: `group` asks for the name of a new group for a feed. */
export type Dialog = { kind: 'add' } | { kind: 'group'; feed: Feed }

/** A feed's menu, and where it opens. */
export interface OpenMenu {
  feed: Feed
  x: number
  y: number
  /** What gets the focus back. */
  from: HTMLElement
}

const COLLAPSED = 'collapsed-groups'

/** What a person does with feeds. Every method throws a `Failure` that the caller shows where it belongs. */
export class Feeds {
  /** The dialog that is open. */
  dialog = $state.raw<Dialog | null>(null)
  /** The very first feed while it is being added: it outlives its form, which goes while the program is away. */
  first = $state.raw(new Adding(this))
  /** The menu that is open. */
  menu = $state.raw<OpenMenu | null>(null)
  /** The groups whose feeds are out of sight. */
  collapsed = $state.raw<string[]>(stored())
  /** What brings the feed back that was removed last. */
  undo = $state.raw<{ id: string; name: string; run: () => void } | null>(null)
  /** What was moved last, or why it was not, for those who cannot see it and for the list itself. */
  moved = $state.raw<{ text: string; refused: boolean } | null>(null)

  #moves = 0
  #moving: Promise<void> = Promise.resolve()

  constructor(readonly resident: Resident) {}

  async add(draft: FeedDraft): Promise<Feed> {
    return this.#put('POST', '/feeds', draft)
  }

  async edit(id: string, edit: FeedEdit): Promise<Feed> {
    return this.#put('PATCH', path(id), edit)
  }

  async mute(id: string, muted: boolean): Promise<Feed> {
    return this.edit(id, { muted })
  }

  async pause(id: string): Promise<Feed> {
    return this.#put('POST', path(id, 'pause'))
  }

  async resume(id: string): Promise<Feed> {
    return this.#put('POST', path(id, 'resume'))
  }

  async reconnect(id: string): Promise<Feed> {
    return this.#put('POST', path(id, 'reconnect'))
  }

  async tryDemo(): Promise<Feed> {
    return this.#put('POST', '/demo')
  }

  async remove(id: string): Promise<void> {
    await this.resident.transport.request('DELETE', path(id))
    this.resident.drop(id)
  }

  /** Takes a removal back: rules, settings, place and secrets. */
  async restore(id: string): Promise<Feed> {
    return this.#put('POST', path(id, 'restore'))
  }

  async setCredential(id: string, edit: CredentialEdit): Promise<Feed> {
    return this.#put('PUT', path(id, 'credential'), edit)
  }

  async markRead(id: string): Promise<void> {
    await this.resident.transport.request('POST', '/events/read', { feed: id, read: true })
  }

  /** Shows a sample popup as the feed's rules make it. */
  async test(id: string): Promise<void> {
    await this.resident.transport.request('POST', path(id, 'test'))
  }

  settings(id: string): Promise<FeedSettings> {
    return this.resident.transport.request('GET', path(id, 'settings'))
  }

  activity(id: string): Promise<FeedActivity> {
    return this.resident.transport.request('GET', path(id, 'activity'))
  }

  probe(wish: ProbeWish): Promise<Probe> {
    return this.resident.transport.request('POST', '/probe', { ...wish, brief: true } satisfies ProbeWish)
  }

  /** Puts a feed elsewhere in the list: seen at once, and taken back if it is refused. */
  async move(id: string, spot: Spot): Promise<void> {
    const before = this.resident.feeds
    const feed = this.resident.feed(id)
    const after = placed(before, id, spot)
    const order: FeedOrder = { feeds: after.map((feed) => feed.id) }
    const regrouped = feed !== undefined && (feed.group || null) !== spot.group
    const reordered = order.feeds.some((id, at) => before[at]?.id !== id)
    this.resident.arrange(after, true)
    const mine = ++this.#moves
    const turn = this.#moving
    let finished = () => {}
    this.#moving = new Promise((resolve) => (finished = resolve))
    let back = before
    try {
      // One after the other, so that the last order is the one that holds.
      await turn
      if (regrouped) {
        await this.edit(id, { group: spot.group ?? '' })
        back = before.map((feed) => (feed.id === id ? { ...feed, group: spot.group } : feed))
      }
      if (reordered) await this.resident.transport.request('PUT', '/feeds/order', order)
      if (mine === this.#moves) this.resident.arrange(after)
    } catch (thrown) {
      if (mine === this.#moves) this.resident.arrange(back)
      throw thrown
    } finally {
      finished()
    }
  }

  toggleGroup(name: string, collapsed = !this.collapsed.includes(name)): void {
    const others = this.collapsed.filter((other) => other !== name)
    this.collapsed = collapsed ? [...others, name] : others
    localStorage.setItem(COLLAPSED, JSON.stringify(this.collapsed))
  }

  async #put(method: Method, path: string, body?: unknown): Promise<Feed> {
    const feed = await this.resident.transport.request<Feed>(method, path, body)
    this.resident.put(feed)
    return feed
  }
}

function path(id: string, verb = ''): string {
  return `/feeds/${encodeURIComponent(id)}${verb && `/${verb}`}`
}

function stored(): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(COLLAPSED) ?? '[]')
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}
