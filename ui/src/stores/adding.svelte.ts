import type { Feed } from '../generated/Feed'
import type { FeedDraft } from '../generated/FeedDraft'
import type { FeedEdit } from '../generated/FeedEdit'
import type { Probe } from '../generated/Probe'
import type { ProbeWish } from '../generated/ProbeWish'
import { accessEdit, emptyAccess, missing, type AccessDraft } from '../lib/access'
import { addresses, feedAt, suggestedName, worthAsking } from '../lib/addresses'
import { PRESETS } from '../lib/presets'
import { Failure } from '../transport/transport'
import type { Feeds } from './feeds.svelte'

/** Pause in typing after which an address is looked at, in milliseconds. */
const SETTLE = 400

/** Settings that hardly anybody needs, as they are written. */
export interface Advanced {
  id: string
  group: string
  idle: string
  proxy: string
  ca_file: string
  verify_certificate: boolean
  plain_http: boolean
  paused: boolean
}

/** A feed that is being added: what was written of it so far, and what there is at its address. */
export class Adding {
  url = $state('')
  /** As the person wrote it; empty: as suggested. */
  name = $state('')
  /** What lets it in, once something has to. */
  access = $state<AccessDraft | null>(null)
  /** Whether the keyring was asked and could not be used. */
  noKeyring = $state(false)
  advanced = $state<Advanced>({ id: '', group: '', idle: '', proxy: '', ca_file: '', verify_certificate: true, plain_http: false, paused: false })
  advancedOpen = $state(false)

  /** What there is at the address; `null`: not known yet. */
  probe = $state.raw<Probe | null>(null)
  /** Since when the address is being looked at, in milliseconds; `null`: it is not. */
  since = $state<number | null>(null)
  /** Why nobody could look. */
  unknown = $state.raw<Failure | null>(null)

  /** Whether the feed is being added. */
  working = $state(false)
  /** Why it was not. */
  failure = $state.raw<Failure | null>(null)

  /** Several addresses that were pasted at once, and what became of each. */
  many = $state.raw<{ url: string; feed?: Feed; failure?: Failure }[]>([])

  #generation = 0
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor(readonly feeds: Feeds) {}

  /** The feed that has this address already. */
  get twin(): Feed | undefined {
    return this.url.trim() === '' ? undefined : feedAt(this.feeds.resident.feeds, this.url.trim())
  }

  get suggestion(): string {
    return suggestedName(this.url.trim(), this.probe?.preset?.name)
  }

  /** Whether what was found is what the form says now. */
  get known(): boolean {
    return this.probe !== null && this.since === null
  }

  /** The address changed under a person's hands: it is looked at after a pause. */
  typed(): void {
    this.#forget()
    if (!worthAsking(this.url.trim()) || this.twin) return
    this.#settling = setTimeout(() => void this.look(), SETTLE)
  }

  /** A text was pasted over the address; whether it was several addresses, which are taken from it. */
  pasted(text: string): boolean {
    const found = addresses(text)
    if (found.length < 2) return false
    this.#forget()
    this.many = found.map((url) => ({ url }))
    return true
  }

  fill(url: string): void {
    this.url = url
    this.#forget()
    if (worthAsking(url) && !this.twin) void this.look()
  }

  #forget(): void {
    clearTimeout(this.#settling)
    this.#generation += 1
    this.probe = this.unknown = this.failure = this.since = null
  }

  /** Looks at what there is at the address, instead of any look before. */
  async look(): Promise<void> {
    this.#forget()
    if (this.url.trim() === '' || this.twin) return
    const generation = this.#generation
    this.since = Date.now()
    try {
      const probe = await this.feeds.probe(this.#wish())
      if (generation !== this.#generation) return
      this.probe = probe
      this.#answer(probe)
    } catch (thrown) {
      if (generation !== this.#generation) return
      this.unknown = Failure.from(thrown)
    }
    this.since = null
  }

  /** Opens what the answer asks for. */
  #answer({ fault, status, preset }: Probe): void {
    if (!fault) return
    const refused = fault.code === 'unauthorized' || fault.code === 'forbidden' || status === 401 || status === 403
    const known = PRESETS.find(({ id }) => id === preset?.id)
    if (refused && !this.access) this.access = emptyAccess(known?.kind, known?.credential)
    if (/^(tls|proxy|file)_/.test(fault.code)) this.advancedOpen = true
  }

  #wish(): ProbeWish {
    const { proxy, ca_file, verify_certificate, plain_http } = this.advanced
    return {
      url: this.url.trim(),
      ...(this.#credentials() ?? {}),
      ...(proxy.trim() === '' ? {} : { proxy: proxy.trim() }),
      ...(ca_file.trim() === '' ? {} : { ca_file: ca_file.trim() }),
      ...(verify_certificate ? {} : { verify_certificate }),
      ...(plain_http ? { plain_http } : {}),
    }
  }

  #credentials(): Pick<FeedDraft, 'credentials'> | undefined {
    return this.access && missing(this.access) === '' ? { credentials: [accessEdit(this.access)] } : undefined
  }

  #draft(): FeedDraft {
    const { id, group, idle, proxy, ca_file, verify_certificate, plain_http, paused } = this.advanced
    const settings: FeedEdit = {
      ...(group.trim() === '' ? {} : { group: group.trim() }),
      ...(idle.trim() === '' ? {} : { idle_timeout_seconds: Number(idle) }),
      ...(proxy.trim() === '' ? {} : { proxy: proxy.trim() }),
      ...(ca_file.trim() === '' ? {} : { ca_file: ca_file.trim() }),
      ...(verify_certificate ? {} : { verify_certificate }),
      ...(plain_http ? { plain_http } : {}),
    }
    const name = this.name.trim() || this.suggestion
    return {
      url: this.url.trim(),
      ...(name === '' ? {} : { name }),
      ...(id.trim() === '' ? {} : { id: id.trim() }),
      ...(paused ? { paused } : {}),
      ...(this.#credentials() ?? {}),
      ...(Object.keys(settings).length === 0 ? {} : { settings }),
    }
  }

  /** Adds the feed, whatever is known of its address; `undefined` if that failed. */
  async add(): Promise<Feed | undefined> {
    clearTimeout(this.#settling)
    this.failure = null
    this.working = true
    try {
      return await this.feeds.add(this.#draft())
    } catch (thrown) {
      this.failure = Failure.from(thrown)
      if (this.failure.code === 'no_keyring') this.noKeyring = true
      return undefined
    } finally {
      this.working = false
    }
  }

  /** Adds one feed after the other; those that fail stay, with the reason. */
  async addMany(): Promise<Feed[]> {
    this.working = true
    const added: Feed[] = []
    for (const { url, feed } of this.many) {
      if (feed) continue
      const name = suggestedName(url, undefined)
      const outcome = await this.feeds.add({ url, ...(name === '' ? {} : { name }) }).then(
        (feed) => ({ feed }),
        (thrown: unknown) => ({ failure: Failure.from(thrown) }),
      )
      if ('feed' in outcome) added.push(outcome.feed)
      this.many = this.many.map((one) => (one.url === url ? { url, ...outcome } : one))
    }
    this.working = false
    return added
  }

  /** No answer is waited for any more. */
  stop(): void {
    clearTimeout(this.#settling)
    this.#generation += 1
  }
}
