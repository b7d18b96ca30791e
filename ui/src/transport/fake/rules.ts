import type { Event } from '../../generated/Event'
import type { FeedRule } from '../../generated/FeedRule'
import type { FeedRules } from '../../generated/FeedRules'
import type { NotifyDraft } from '../../generated/NotifyDraft'
import type { OutcomeReason } from '../../generated/OutcomeReason'
import type { RuleAction } from '../../generated/RuleAction'
import type { RuleDraft } from '../../generated/RuleDraft'
import type { RulesEdit } from '../../generated/RulesEdit'
import type { RulesFailure } from '../../generated/RulesFailure'
import type { RulesPopup } from '../../generated/RulesPopup'
import type { RulesPreview } from '../../generated/RulesPreview'
import type { RulesTest } from '../../generated/RulesTest'
import { eventNames } from '../../lib/rule-draft'
import { Failure } from '../transport'
import { evaluate, Mistake, render, truth, type Scope } from './evaluate'
import type { Fake } from './fake'

const store = new WeakMap<Fake, Map<string, FeedRules>>()

/** Gives a feed of the made-up program rules, as if its file had been edited. */
export function setRules(fake: Fake, feed: string, rules: FeedRule[]): FeedRules {
  const all = store.get(fake)
  const revision = String(Number(all?.get(feed)?.revision ?? 0) + 1)
  all?.set(feed, { rules, revision })
  fake.change(feed, { rules: rules.length })
  return { rules, revision }
}

/** What the made-up program answers about rules. */
export function rules(fake: Fake): void {
  store.set(fake, new Map())
  const rulesOf = (feed: string) => store.get(fake)?.get(fake.feed(feed).id) ?? { rules: [], revision: '0' }
  fake.on('GET', '/feeds/:id/rules', ({ path }) => rulesOf(path.id ?? ''))
  fake.on<RulesEdit>('PUT', '/feeds/:id/rules', ({ path, body }) => {
    const [feed, now] = [path.id ?? '', rulesOf(path.id ?? '')]
    if (body.revision !== undefined && body.revision !== now.revision) throw new Failure('conflict', 'the rules have been changed meanwhile', feed)
    check(body.rules.map(({ rule }) => rule))
    return setRules(fake, feed, body.rules.map(({ rule, was }) => ({ rule, run: was === undefined ? null : (now.rules[was - 1]?.run ?? null) })))
  })
  fake.on('GET', '/events/types', ({ query }) => {
    const events = fake.events.filter(({ feed }) => !query.has('feed') || feed === query.get('feed'))
    return [...new Set(events.map(({ event }) => event))].sort()
  })
  fake.on<RulesTest>('POST', '/rules/test', ({ body }) => {
    const feed = body.feed ?? ''
    const drafts = body.rules ?? rulesOf(feed).rules.map(({ rule }) => rule)
    check(drafts)
    const events = body.sample === undefined ? fake.events.filter((event) => event.feed === feed) : samples(body.sample, body.event)
    return tryRules(drafts, events, { fake, feed, popups: body.popups ?? 5 })
  })
}

type Sampled = Pick<Event, 'event' | 'id' | 'data'> & { seq: number | null }

function samples(text: string, type = 'message'): Sampled[] {
  if (!/^(data|event|id):/m.test(text)) return [{ seq: null, event: type, id: '', data: text }]
  const value = (block: string, name: string) => [...block.matchAll(new RegExp(`^${name}: ?(.*)$`, 'gm'))].map(([, value = '']) => value)
  return text
    .split(/\n\n+/)
    .map((block) => ({ seq: null, event: value(block, 'event')[0] ?? 'message', id: value(block, 'id')[0] ?? '', data: value(block, 'data').join('\n') }))
    .filter(({ data }) => data !== '')
}

const TEXTS = ['title', 'body', 'url', 'urgency', 'key', 'icon', 'group'] as const

/** Refuses rules that are not written right, as the program does. */
function check(drafts: RuleDraft[]): void {
  const scope: Scope = { event: '', id: '', data: undefined, raw: '', feed: {}, received_at: '' }
  drafts.forEach((rule, at) => {
    const wrong = (key: string, column: number, message: string): never => {
      const sentence = { code: 'other', params: {}, message }
      throw new Failure('invalid_value', message, message, sentence, { key: `rule[${at + 1}].${key}`, line: 1, column })
    }
    const trying = (key: string, run: () => unknown) => {
      try {
        run()
      } catch (thrown) {
        if (thrown instanceof Mistake) wrong(key, thrown.column, thrown.message)
      }
    }
    if (rule.when !== undefined) trying('when', () => evaluate(rule.when ?? '', scope))
    for (const name of TEXTS) {
      const text = rule.notify?.[name]
      if (text !== undefined) trying(`notify.${name}`, () => render(text, scope))
    }
    const urgency = rule.notify?.urgency
    if (urgency !== undefined && !urgency.includes('{') && !['low', 'normal', 'critical'].includes(urgency)) wrong('notify.urgency', 1, `“${urgency}” is not low, normal or critical`)
    rule.notify?.buttons?.forEach(({ label }, button) => {
      if (label === '') wrong(`notify.buttons[${button + 1}].label`, 1, 'a label has 1 to 40 characters')
    })
  })
}

interface Trial {
  fake: Fake
  feed: string
  popups: number
}

function tryRules(drafts: RuleDraft[], events: Sampled[], trial: Trial): RulesPreview {
  const decided = new Map<string, { action: RuleAction; reason: OutcomeReason; count: number }>()
  const preview: RulesPreview = { evaluated: events.length, notified: 0, decided: [], popups: [], failures: [] }
  for (const event of events) {
    const { action, reason, popup, failed } = decide(drafts, event, trial)
    const name = JSON.stringify([action, reason])
    const entry = decided.get(name) ?? { action, reason, count: 0 }
    entry.count += 1
    decided.set(name, entry)
    if (failed) addFailure(preview.failures, { ...failed, feed: trial.feed, seq: event.seq ?? 0, count: 1 })
    if (action !== 'notify') continue
    preview.notified += 1
    if (preview.popups.length < trial.popups && popup) preview.popups.push(popup)
  }
  preview.decided = [...decided.values()].sort((left, right) => right.count - left.count)
  return preview
}

function addFailure(failures: RulesFailure[], failure: RulesFailure): void {
  const known = failures.find(({ rule }) => rule === failure.rule)
  if (known) known.count += 1
  else failures.push(failure)
}

interface Decided {
  action: RuleAction
  reason: OutcomeReason
  popup?: RulesPopup
  failed?: { rule: number; detail: string }
}

function decide(drafts: RuleDraft[], event: Sampled, { fake, feed }: Trial): Decided {
  const scope = scopeOf(event, fake.feed(feed).name, feed)
  const reason = (code: string, rule: number | null = null) => ({ code, rule, detail: '' })
  const plain = (code: string, rule: number | null = null): Decided => ({ action: 'notify', reason: reason(code, rule), popup: popup({}, event, scope, feed, reason(code, rule)) })
  for (const [at, rule] of drafts.entries()) {
    try {
      if (!matches(rule, event, scope)) continue
      const why = reason('rule', at + 1)
      const action = rule.action ?? 'notify'
      return { action, reason: why, ...(action === 'notify' ? { popup: { ...popup(rule.notify ?? {}, event, scope, feed, why), urgent: rule.urgent ?? false } } : {}) }
    } catch (thrown) {
      return { ...plain('rule_failed', at + 1), failed: { rule: at + 1, detail: String((thrown as Error).message) } }
    }
  }
  if (drafts.length === 0) return plain('default')
  const { preset } = fake.feed(feed)
  return preset ? { ...plain('preset', 1), reason: { code: 'preset', rule: 1, detail: preset.id } } : { action: 'log', reason: reason('no_match') }
}

function matches(rule: RuleDraft, event: Sampled, scope: Scope): boolean {
  const names = eventNames(rule.event)
  const fits = (glob: string) => new RegExp(`^${glob.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`).test(event.event)
  return (names.length === 0 || names.some(fits)) && (rule.when === undefined || truth(evaluate(rule.when, scope)))
}

function scopeOf({ event, id, data: raw }: Sampled, name: string, feed: string): Scope {
  let data: unknown = raw
  try {
    data = JSON.parse(raw)
  } catch {
    // A text.
  }
  return { event, id, data, raw, feed: { id: feed, name, url: '' }, received_at: '2026-11-20T12:00:00Z' }
}

function popup(notify: NotifyDraft, event: Sampled, scope: Scope, feed: string, reason: OutcomeReason): RulesPopup {
  const data = (scope.data !== null && typeof scope.data === 'object' ? scope.data : {}) as Record<string, unknown>
  const first = (...names: string[]) => String(names.map((name) => data[name]).find((value) => value !== undefined && value !== '') ?? '')
  const text = (name: (typeof TEXTS)[number]) => (notify[name] === undefined ? undefined : render(notify[name] ?? '', scope).trim())
  const urgency = text('urgency')
  const feedName = String((scope.feed as { name: string }).name)
  return {
    seq: event.seq,
    feed,
    reason,
    title: text('title') || first('title', 'subject', 'summary', 'name') || feedName,
    body: text('body') ?? (first('message', 'body', 'text', 'description', 'content') || event.data),
    url: text('url') || first('url', 'link', 'click', 'href') || null,
    urgency: urgency === 'low' || urgency === 'critical' ? urgency : 'normal',
    key: text('key') || null,
    icon: text('icon') || null,
    group: text('group') || null,
    sound: notify.sound ?? null,
    expire: notify.expire ?? null,
    buttons: (notify.buttons ?? []).map(({ label, url }) => ({ label: render(label, scope), url: render(url, scope) })).filter(({ label, url }) => label && url),
    urgent: false,
    run: null,
  }
}
