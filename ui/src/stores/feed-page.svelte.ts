import type { FeedActivity } from '../generated/FeedActivity'
import type { FeedEdit } from '../generated/FeedEdit'
import type { FeedSettings } from '../generated/FeedSettings'
import { Failure } from '../transport/transport'
import type { Feeds } from './feeds.svelte'

/** What the page of one feed shows beside the feed itself. */
export class FeedPage {
  settings = $state.raw<FeedSettings | null>(null)
  activity = $state.raw<FeedActivity | null>(null)
  /** Why the settings, or the activity, could not be had. */
  noSettings = $state.raw<Failure | null>(null)
  noActivity = $state.raw<Failure | null>(null)

  #asked = 0
  #newest: Promise<void> = Promise.resolve()

  constructor(
    readonly feeds: Feeds,
    readonly id: string,
  ) {}

  /** Fetches the settings; done once the newest question is answered, since an older one's answer may be from before a change. */
  loadSettings(): Promise<void> {
    return (this.#newest = this.#loadSettings(++this.#asked))
  }

  async #loadSettings(mine: number): Promise<void> {
    let [settings, failure]: [FeedSettings | null, Failure | null] = [null, null]
    try {
      settings = await this.feeds.settings(this.id)
    } catch (thrown) {
      failure = Failure.from(thrown)
    }
    if (mine !== this.#asked) return this.#newest
    if (settings) this.settings = settings
    this.noSettings = failure
  }

  async loadActivity(): Promise<void> {
    try {
      this.activity = await this.feeds.activity(this.id)
      this.noActivity = null
    } catch (thrown) {
      this.noActivity = Failure.from(thrown)
    }
  }

  /** Changes settings; throws a `Failure` for the field that asked. */
  async change(edit: FeedEdit): Promise<void> {
    await this.feeds.edit(this.id, edit)
    await this.loadSettings()
  }
}
