import type { Feed } from '../generated/Feed'
import type { FeedDraft } from '../generated/FeedDraft'
import type { FeedEdit } from '../generated/FeedEdit'
import type { Resident } from './resident.svelte'

export type Dialog = { kind: 'add' } | { kind: 'edit'; feed: Feed } | { kind: 'remove'; feed: Feed }

/** What a person does with feeds. Every method throws a `Failure` that the caller shows where it belongs. */
export class Feeds {
  /** The dialog that is open. */
  dialog = $state.raw<Dialog | null>(null)

  constructor(readonly resident: Resident) {}

  async add(draft: FeedDraft): Promise<Feed> {
    return this.#put('POST', '/feeds', draft)
  }

  async edit(id: string, edit: FeedEdit): Promise<Feed> {
    return this.#put('PATCH', `/feeds/${encodeURIComponent(id)}`, edit)
  }

  async mute(id: string, muted: boolean): Promise<Feed> {
    return this.edit(id, { muted })
  }

  async pause(id: string): Promise<Feed> {
    return this.#put('POST', `/feeds/${encodeURIComponent(id)}/pause`)
  }

  async resume(id: string): Promise<Feed> {
    return this.#put('POST', `/feeds/${encodeURIComponent(id)}/resume`)
  }

  async reconnect(id: string): Promise<Feed> {
    return this.#put('POST', `/feeds/${encodeURIComponent(id)}/reconnect`)
  }

  async tryDemo(): Promise<Feed> {
    return this.#put('POST', '/demo')
  }

  async remove(id: string): Promise<void> {
    await this.resident.transport.request('DELETE', `/feeds/${encodeURIComponent(id)}`)
    this.resident.drop(id)
  }

  /** Brings a removed feed back under its old id, without the rules it may have had. */
  async restore(feed: Feed): Promise<Feed> {
    const { id, name, url, paused, idle_timeout_seconds, repeats, muted } = feed
    const added = await this.add({ id, name, url, paused })
    const same = added.idle_timeout_seconds === idle_timeout_seconds && added.repeats === repeats && added.muted === muted
    return same ? added : this.edit(id, { idle_timeout_seconds, repeats, muted })
  }

  async #put(method: 'POST' | 'PATCH', path: string, body?: unknown): Promise<Feed> {
    const feed = await this.resident.transport.request<Feed>(method, path, body)
    this.resident.put(feed)
    return feed
  }
}
