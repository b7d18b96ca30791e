import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import type { FeedRule } from '../generated/FeedRule'
import type { FeedRules } from '../generated/FeedRules'
import type { RuleDraft } from '../generated/RuleDraft'
import type { RulesEdit } from '../generated/RulesEdit'
import { isSame, newRule, renumbered, toDraft, toEdits, type DraftRule } from '../lib/rule-draft'
import { Failure, type Transport } from '../transport/transport'

const STORED = 'rules '

/** The rules that are being edited, of each feed its own, until they are saved or discarded. */
export class Rules {
  #drafts = new SvelteMap<string, RulesDraft>()
  /** Feeds whose rules were left unsaved when the window was closed. */
  #left = new SvelteSet<string>()

  constructor(readonly transport: Transport) {
    for (let at = 0; at < localStorage.length; at++) {
      const name = localStorage.key(at)
      if (name?.startsWith(STORED)) this.#left.add(name.slice(STORED.length))
    }
  }

  /** The draft of a feed's rules; made when first asked for. */
  draft(feed: string): RulesDraft {
    let draft = this.#drafts.get(feed)
    if (!draft) this.#drafts.set(feed, (draft = new RulesDraft(this.transport, feed)))
    return draft
  }

  /** Whether a feed has rules that are not saved. */
  unsaved(feed: string): boolean {
    return this.#drafts.get(feed)?.unsaved ?? this.#left.has(feed)
  }
}

/** What a saving has taken the place of. */
export interface Replaced {
  before: FeedRule[]
  after: FeedRules
  /** The numbers that the rules in `after` had in `before`. */
  was: (number | undefined)[]
}

interface Stored {
  rules: DraftRule[]
  saved: FeedRules
}

/** A feed's rules as they are being edited: all of them are saved at once, or none. */
export class RulesDraft {
  /** What the file says, as far as known; `null` until it was read. */
  saved = $state.raw<FeedRules | null>(null)
  rules = $state.raw<DraftRule[]>([])
  loading = $state(false)
  saving = $state(false)
  /** Why the rules could not be read. */
  failure = $state.raw<Failure | null>(null)
  /** Why they could not be saved. */
  refused = $state.raw<Failure | null>(null)
  /** The file has other rules than those that the draft began with. */
  conflict = $state(false)

  #reading: Promise<void> | undefined
  #writes = 0

  constructor(
    readonly transport: Transport,
    readonly feed: string,
  ) {}

  // Not derived: that would end with the room in which the draft was first asked for.
  get unsaved(): boolean {
    return this.saved !== null && !isSame(this.rules, this.saved.rules)
  }

  get #path(): string {
    return `/feeds/${encodeURIComponent(this.feed)}/rules`
  }

  /** Reads the rules; a draft that was left unsaved stays. */
  load(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #read(): Promise<void> {
    const writes = this.#writes
    this.loading = true
    this.failure = null
    try {
      const now = await this.transport.request<FeedRules>('GET', this.#path)
      // What was read while it was being written may be either.
      if (writes === this.#writes && !this.saving) this.#take(now)
    } catch (thrown) {
      this.failure = Failure.from(thrown)
    }
    this.loading = false
  }

  #take(now: FeedRules): void {
    const left = this.saved ? null : this.#stored()
    const base = left?.saved ?? this.saved
    if (left) {
      this.rules = left.rules.map((rule) => ({ ...rule, key: newRule(rule.rule).key }))
      this.saved = left.saved
    }
    if (base && this.unsaved && base.revision !== now.revision) {
      this.conflict = true
      return
    }
    if (!this.unsaved) this.rules = toDraft(now.rules)
    this.saved = now
    this.conflict = false
  }

  // What the person does

  set(rules: DraftRule[]): void {
    this.rules = rules
    this.refused = null
    this.#store()
  }

  /** Puts a rule at a place, from 0. */
  insert(rule: RuleDraft, at: number): void {
    this.set([...this.rules.slice(0, at), newRule(rule), ...this.rules.slice(at)])
  }

  change(key: number, rule: RuleDraft): void {
    this.set(this.rules.map((other) => (other.key === key ? { ...other, rule } : other)))
  }

  remove(key: number): void {
    this.set(this.rules.filter((other) => other.key !== key))
  }

  /** Puts back a rule that was removed from its place, from 0, when the file was as `then`. */
  putBack(rule: DraftRule, at: number, then: FeedRules | null): void {
    const { saved, rules } = this
    if (!saved || !then) return
    const same = saved.revision === then.revision
    const there = rule.was !== undefined && rules.some(({ was }) => was === rule.was)
    // Discarding has brought it back already.
    if (same && there) return
    const back = same ? [rule] : renumbered([rule], then.rules, saved.rules, rules)
    this.set([...rules.slice(0, at), ...back, ...rules.slice(at)])
  }

  /** Takes on a whole draft that was let go when the file was as `then`: what was saved since has numbered its rules anew. */
  bringBack(draft: DraftRule[], then: FeedRules | null): void {
    const { saved } = this
    if (!saved || !then) return
    this.set(saved.revision === then.revision ? draft : renumbered(draft, then.rules, saved.rules))
  }

  /** Moves a rule to a place, from 0; whether it is another one than before. */
  move(from: number, to: number): boolean {
    const rule = this.rules[from]
    if (!rule || from === to || to < 0 || to >= this.rules.length) return false
    const rest = this.rules.filter((other) => other !== rule)
    this.set([...rest.slice(0, to), rule, ...rest.slice(to)])
    return true
  }

  /** Goes back to what the file says. */
  discard(): void {
    if (this.saved) this.set(toDraft(this.saved.rules))
    this.conflict = false
  }

  /** Writes the rules to the file. Gives what they have taken the place of; `undefined` if nothing was written. */
  async save(): Promise<Replaced | undefined> {
    const before = this.saved
    if (!before || this.saving) return undefined
    const was = this.rules.map(({ was }) => was)
    const after = await this.#put({ rules: toEdits(this.rules), revision: before.revision })
    return after && { before: before.rules, after, was }
  }

  /** Writes the rules in place of others that have come to the file meanwhile. */
  async saveAnyway(): Promise<Replaced | undefined> {
    const before = this.saved
    if (!before || this.saving) return undefined
    try {
      const now = await this.transport.request<FeedRules>('GET', this.#path)
      this.set(renumbered(this.rules, before.rules, now.rules))
      this.saved = now
      this.conflict = false
    } catch (thrown) {
      this.refused = Failure.from(thrown)
      return undefined
    }
    return this.save()
  }

  /** Lets the draft go for what the file has by now. Gives the draft, to be brought back. */
  async takeNew(): Promise<DraftRule[] | undefined> {
    const [mine, before] = [this.rules, this.saved]
    try {
      const now = await this.transport.request<FeedRules>('GET', this.#path)
      this.saved = now
      this.set(toDraft(now.rules))
      this.conflict = false
      return renumbered(mine, before?.rules ?? [], now.rules)
    } catch (thrown) {
      this.refused = Failure.from(thrown)
      return undefined
    }
  }

  /** Takes a saving back: writes the earlier rules, each in the place of what it has become, which keeps its comments and program. */
  async restore({ before, after, was }: Replaced): Promise<void> {
    const { saved } = this
    if (!saved) return
    const earlier = before.map(({ rule, run }, at): DraftRule => {
      const now = was.indexOf(at + 1)
      return now === -1 ? newRule(rule) : { ...newRule(rule), was: now + 1, run }
    })
    this.set(saved.revision === after.revision ? earlier : renumbered(earlier, after.rules, saved.rules))
    await this.#put({ rules: toEdits(this.rules), revision: saved.revision })
  }

  async #put(edit: RulesEdit): Promise<FeedRules | undefined> {
    const sent = this.rules
    this.saving = true
    this.#writes += 1
    this.refused = null
    try {
      const saved = await this.transport.request<FeedRules>('PUT', this.#path, edit)
      this.saved = saved
      // What was typed while it was being saved stays, and each rule is now the one that was written for it.
      const numbers = new Map(sent.map(({ key }, at) => [key, at]))
      this.set(
        this.rules.map(({ was: _was, ...rule }) => {
          const at = numbers.get(rule.key)
          return at === undefined ? { ...rule, run: null } : { ...rule, was: at + 1, run: saved.rules[at]?.run ?? null, ...(sent[at]?.rule === rule.rule && saved.rules[at] ? { rule: saved.rules[at].rule } : {}) }
        }),
      )
      this.conflict = false
      return saved
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (failure.code === 'conflict') this.conflict = true
      else this.refused = failure
      return undefined
    } finally {
      this.saving = false
    }
  }

  // Over the end of the window

  #store(): void {
    const name = STORED + this.feed
    try {
      if (this.unsaved && this.saved) localStorage.setItem(name, JSON.stringify({ rules: this.rules, saved: this.saved } satisfies Stored))
      else localStorage.removeItem(name)
    } catch {
      // Without room for it the draft lives as long as the window.
    }
  }

  #stored(): Stored | null {
    try {
      const left = JSON.parse(localStorage.getItem(STORED + this.feed) ?? 'null') as Stored | null
      return left && Array.isArray(left.rules) && Array.isArray(left.saved?.rules) ? left : null
    } catch {
      return null
    }
  }
}
