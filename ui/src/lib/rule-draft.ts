import type { EventNames } from '../generated/EventNames'
import type { FeedRule } from '../generated/FeedRule'
import type { NotifyDraft } from '../generated/NotifyDraft'
import type { RuleDraft } from '../generated/RuleDraft'
import type { RuleEdit } from '../generated/RuleEdit'

/** A rule as it is being edited. */
export interface DraftRule {
  /** Tells it from the others for as long as the window is open. */
  key: number
  /** The number, from 1, that it has in the file; none: it is new. */
  was?: number
  /** What it runs; only the file sets it. */
  run: string[] | null
  rule: RuleDraft
}

let last = 0

export function newRule(rule: RuleDraft): DraftRule {
  return { key: ++last, run: null, rule }
}

/** The rules of the file, each to be edited. */
export function toDraft(rules: FeedRule[]): DraftRule[] {
  return rules.map(({ rule, run }, at) => ({ key: ++last, was: at + 1, run, rule }))
}

export function toEdits(rules: DraftRule[]): RuleEdit[] {
  return rules.map(({ was, rule }) => ({ ...(was === undefined ? {} : { was }), rule }))
}

/** Whether the draft says what the file says. */
export function isSame(draft: DraftRule[], saved: FeedRule[]): boolean {
  return draft.length === saved.length && draft.every(({ was, rule }, at) => was === at + 1 && sameRule(rule, saved[at]?.rule))
}

export function sameRule(left: RuleDraft, right: RuleDraft | undefined): boolean {
  return right !== undefined && JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
}

/** With keys in one order, and without those that say what holds anyway. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([key, inner]) => inner !== undefined && !(key === 'action' && inner === 'notify') && !(key === 'urgent' && inner === false))
  return Object.fromEntries(kept.sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}

/** A copy with these keys changed; those that are `undefined` are left out. */
export function changed<Draft extends RuleDraft | NotifyDraft>(draft: Draft, change: { [Key in keyof Draft]?: Draft[Key] | undefined }): Draft {
  const kept = Object.entries({ ...draft, ...change }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as Draft
}

/** The rule with an action, without what makes no sense with it: what the program would refuse. */
export function withAction(rule: RuleDraft, action: NonNullable<RuleDraft['action']>): RuleDraft {
  if (action === 'notify') return changed(rule, { action: undefined })
  const key = rule.notify?.key ?? '{{ id }}'
  return changed(rule, { action, urgent: undefined, notify: action === 'withdraw' ? { key } : undefined })
}

export function eventNames(names: EventNames | undefined): string[] {
  return names === undefined ? [] : typeof names === 'string' ? [names] : names
}

export function toEventNames(names: string[]): EventNames | undefined {
  return names.length === 0 ? undefined : names.length === 1 ? names[0] : names
}

/**
 * The numbers that these rules have among others which have come to the file meanwhile: the same rule, or else the one in its place
 * that runs the same, so that no rule gets the program of another. `others`: rules whose numbers are theirs.
 */
export function renumbered(rules: DraftRule[], before: FeedRule[], now: FeedRule[], others: DraftRule[] = []): DraftRule[] {
  const taken = new Set(others.flatMap(({ was }) => (was === undefined ? [] : [was - 1])))
  const same = (left: FeedRule | undefined, right: FeedRule | undefined) => left && right && sameRule(left.rule, right.rule) && sameRun(left, right)
  const sameRun = (left: FeedRule, right: FeedRule) => JSON.stringify(left.run) === JSON.stringify(right.run)
  return rules.map(({ was, ...rest }) => {
    const old = was === undefined ? undefined : before[was - 1]
    if (was === undefined || !old) return rest
    let at = now.findIndex((rule, index) => !taken.has(index) && same(rule, old))
    const there = now[was - 1]
    if (at === -1 && there && !taken.has(was - 1) && sameRun(there, old)) at = was - 1
    if (at === -1) return { ...rest, run: null }
    taken.add(at)
    return { ...rest, was: at + 1 }
  })
}
