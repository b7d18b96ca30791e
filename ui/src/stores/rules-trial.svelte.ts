import type { Event } from '../generated/Event'
import type { EventPage } from '../generated/EventPage'
import type { NotifyDraft } from '../generated/NotifyDraft'
import type { Place } from '../generated/Place'
import type { RuleDraft } from '../generated/RuleDraft'
import type { RulesPopup } from '../generated/RulesPopup'
import type { RulesPreview } from '../generated/RulesPreview'
import type { RulesTest } from '../generated/RulesTest'
import { fieldsOf, type Sample } from '../lib/fields'
import { Failure, type Transport } from '../transport/transport'

/** Pause in typing after which rules are tried, in milliseconds. */
const SETTLE = 250
/** How long an answer may take until that is said, in milliseconds. */
const SLOW = 300
/** Popups that are shown as they would look. */
const POPUPS = 8
/** Pause between two trials because of events that have come, in milliseconds: each may cost seconds. */
const ARRIVALS = 10_000
/** Newest events to choose a sample from. */
const NEWEST = 30

/** What a feed's rules would do, live: on the log, and on one event. */
export class RulesTrial {
  /** The newest events, to choose one from. */
  newest = $state.raw<Event[]>([])
  /** The event that rules are tried on first; `null`: a sample of the person's own. */
  event = $state.raw<Event | null>(null)
  /** The person's own sample: a piece of a stream, or the data of an event of this type. */
  own = $state.raw({ text: '', event: '' })
  /** Event types in the log. */
  types = $state.raw<string[]>([])
  /** Whether events were asked for and came. */
  ready = $state(false)

  /** What the draft would do on the log, and what the file's rules do. */
  preview = $state.raw<RulesPreview | null>(null)
  before = $state.raw<RulesPreview | null>(null)
  /** What the draft would do with the sample. */
  sample = $state.raw<RulesPreview | null>(null)
  /** What the texts of the opened rule say of the sample. */
  texts = $state.raw<RulesPopup | null>(null)
  /** A mistake in the draft, and where it is. */
  mistake = $state.raw<(Failure & { place: Place }) | null>(null)
  failure = $state.raw<Failure | null>(null)
  slow = $state(false)
  /** Grows when events have come that were not tried yet. */
  fresh = $state(0)

  /** What a condition can name, with values that it had. */
  readonly fields = $derived(fieldsOf(this.#samples()))

  #generation = 0
  /** Counts what was chosen to try rules on. */
  #choices = 0
  /** Whether the person chose a sample of their own. */
  #ownChosen = false
  #arriving: ReturnType<typeof setTimeout> | undefined
  #settling: ReturnType<typeof setTimeout> | undefined
  #revision = ''

  constructor(
    readonly transport: Transport,
    readonly feed: string,
  ) {}

  #samples(): Sample[] {
    const own = this.event ? [] : ownSamples(this.own.text, this.own.event)
    return [...own, ...(this.event ? [this.event] : []), ...this.newest.filter(({ seq }) => seq !== this.event?.seq)]
  }

  /** Fetches what there is to try rules on; `seq`: the event to begin with. Whether that was chosen, or is known to be gone. */
  async load(seq: number | null): Promise<boolean> {
    const query = new URLSearchParams({ feed: this.feed, limit: String(NEWEST), preview: 'true' })
    const [page, types] = await Promise.allSettled([
      this.transport.request<EventPage>('GET', `/events?${query}`),
      this.transport.request<string[]>('GET', `/events/types?${new URLSearchParams({ feed: this.feed })}`),
    ])
    if (page.status === 'fulfilled') this.newest = page.value.events
    if (types.status === 'fulfilled') this.types = types.value
    const settled = seq === null || (await this.choose(seq))
    const first = this.newest[0]
    if (!this.event && first && !this.#ownChosen && this.own.text === '' && this.own.event === '') await this.choose(first.seq)
    this.ready = true
    return settled
  }

  /** Events have come: they are tried before long, the first one at once. */
  arrived(): void {
    if (!this.ready || this.#arriving !== undefined) return
    this.#arriving = setTimeout(() => void this.#renew(), this.newest.length === 0 ? 0 : ARRIVALS)
  }

  async #renew(): Promise<void> {
    await this.load(null)
    this.#arriving = undefined
    this.before = null
    this.fresh += 1
  }

  /** Tries the rules on this event, or on a sample of the person's own. Whether that is settled: not if the program did not answer. */
  async choose(seq: number | null): Promise<boolean> {
    const mine = ++this.#choices
    this.#ownChosen = seq === null
    const known = this.newest.find((event) => event.seq === seq)
    if (seq === null || (known && !known.data_truncated)) {
      this.event = known ?? null
      return true
    }
    try {
      const event = await this.transport.request<Event>('GET', `/events/${seq}`)
      if (mine === this.#choices) this.event = event
      return true
    } catch (thrown) {
      if (mine === this.#choices) this.event = known ?? null // One that is gone has nothing to show.
      const { code } = Failure.from(thrown)
      return code !== 'unreachable' && code !== 'timeout'
    }
  }

  /** Tries these rules soon; `opened`: the texts of the rule that is being edited. */
  ask(rules: RuleDraft[], opened: NotifyDraft | undefined, revision: string): void {
    clearTimeout(this.#settling)
    const generation = ++this.#generation
    this.#settling = setTimeout(() => void this.#try(generation, rules, opened, revision), this.preview || this.mistake ? SETTLE : 0)
  }

  /** Lets go of what is under way. */
  stop(): void {
    clearTimeout(this.#settling)
    clearTimeout(this.#arriving)
    this.#generation += 1
    this.slow = false
  }

  async #try(generation: number, rules: RuleDraft[], opened: NotifyDraft | undefined, revision: string): Promise<void> {
    const current = () => generation === this.#generation
    const slow = setTimeout(() => {
      if (current()) this.slow = true
    }, SLOW)
    const sample = this.#sample()
    const feed = this.feed
    const none = Promise.resolve(null)
    const old = this.before && this.#revision === revision ? Promise.resolve(this.before) : this.#test({ feed, popups: 0 })
    const [whole, one, texts, before] = await Promise.allSettled([
      this.#test({ feed, rules, popups: POPUPS }),
      sample ? this.#test({ feed, rules, popups: 1, ...sample }) : none,
      sample && opened ? this.#test({ feed, rules: [{ notify: opened }], popups: 1, ...sample }) : none,
      old,
    ])
    clearTimeout(slow)
    if (!current()) return
    this.slow = false
    if (before.status === 'fulfilled') {
      this.before = before.value
      this.#revision = revision
    }
    if (texts.status === 'fulfilled') this.texts = texts.value?.popups[0] ?? null
    if (whole.status === 'fulfilled') {
      this.preview = whole.value
      this.sample = one.status === 'fulfilled' ? one.value : null
      this.mistake = null
      this.failure = null
    } else {
      const failure = Failure.from(whole.reason)
      this.mistake = failure.place ? (failure as Failure & { place: Place }) : null
      this.failure = failure.place ? null : failure
    }
  }

  #test(test: RulesTest): Promise<RulesPreview> {
    return this.transport.request<RulesPreview>('POST', '/rules/test', test)
  }

  #sample(): Pick<RulesTest, 'sample' | 'event'> | null {
    if (this.event) return { sample: toStream(this.event) }
    const { text, event } = this.own
    return text.trim() === '' ? null : { sample: text, ...(event.trim() === '' ? {} : { event: event.trim() }) }
  }
}

/** An event as its server sends it, so that none of its lines is taken for another field. */
function toStream({ event, id, data }: Sample): string {
  return [`event: ${event}`, ...(id === '' ? [] : [`id: ${id}`]), ...data.split('\n').map((line) => `data: ${line}`), '', ''].join('\n')
}

const FIELD = /^(event|id|data):? ?(.*)$/

/** The events of a person's own sample, as far as their fields need to be known. */
function ownSamples(text: string, event: string): Sample[] {
  if (text.trim() === '') return []
  if (!/^(event|id|data|retry):/m.test(text)) return [{ event: event || 'message', id: '', data: text.trim() }]
  return text.split(/\n\s*\n/).flatMap((block) => {
    const lines = block.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = FIELD.exec(line.trimEnd()) ?? []
      return name === '' ? [] : [{ name, value }]
    })
    const last = (name: string) => lines.findLast((line) => line.name === name)?.value ?? ''
    const data = lines.filter(({ name }) => name === 'data').map(({ value }) => value).join('\n')
    return data === '' ? [] : [{ event: last('event') || 'message', id: last('id'), data }]
  })
}
