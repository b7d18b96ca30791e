import type { Feed } from '../generated/Feed'
import type { RuleFault } from '../generated/RuleFault'
import { known, t, tn } from '../i18n/messages.svelte'
import { duration, longAgo, now } from '../i18n/times.svelte'
import { hostOf } from './addresses'

/** A feed's state as a shape. `resting`: the server hangs up after each event, as it means to; all is well. */
export type Shape = 'connected' | 'connecting' | 'waiting' | 'resting' | 'needs_attention' | 'stopped' | 'paused'

export function shapeOf(feed: Feed): Shape {
  const { state, reason } = feed.connection
  const resting = reason?.code === 'ended' && (state === 'waiting' || state === 'connecting')
  return resting ? 'resting' : state
}

/** A feed's state in a word or two. */
export function stateName(feed: Feed): string {
  const shape = shapeOf(feed)
  return shape === 'resting' ? t('ui.feed.between') : t(`state.${shape}`)
}

/** Why a feed is not connected, if it is not. */
export function reasonSentence(feed: Feed): string {
  const { reason } = feed.connection
  if (!reason) return ''
  if (reason.code === 'content_type' && reason.detail === '') return t('reason.content_type_none')
  const { code, detail } = reason
  return known('reason', code, { detail }) ?? t('ui.feed.reason_unknown', { detail: detail || code })
}

/** Why a feed is not connected and what to do, as a probe of it would say it; the reason alone where there is nothing to do. */
export function remedy(feed: Feed): string {
  const { reason } = feed.connection
  if (!reason) return ''
  const [code, detail] = likeProbe(reason.code, reason.detail, feed.url)
  return faultSentence(code, detail) ?? reasonSentence(feed)
}

/** A fault that a probe found, with its remedy; `undefined` if this window does not know it. */
export function faultSentence(code: string, detail: string): string | undefined {
  const none = detail === '' ? known('probe', `${code}_none`) : undefined
  return none ?? known('probe', code, { detail }) ?? known('reason', code, { detail })
}

/** A reason in the words of probes, whose sentences say what to do. */
function likeProbe(code: string, detail: string, url: string): [code: string, detail: string] {
  if (code === 'sign_in_refused') return [{ 401: 'unauthorized', 403: 'forbidden' }[detail] ?? 'proxy_sign_in', detail]
  if (code === 'status') return [detail === '429' ? 'too_many_requests' : detail >= '500' ? 'server_error' : 'status', detail]
  if (code === 'connect_timeout' || code === 'header_timeout') return ['timeout', detail]
  if (code === 'content_type' && detail.startsWith('text/html')) return ['html', detail]
  // Where a probe names the machine, a reason has what the system said.
  if (code === 'dns' || code === 'unreachable' || code.startsWith('tls_')) return [code, hostOf(url)]
  return [code, detail]
}

/** What is known of a feed's connection, in words: how it is, why, and what comes next. */
export function stateSentences(feed: Feed): string[] {
  const { state, connected_at, rhythm_seconds, hint } = feed.connection
  const lastEvent = feed.last_event_at
    ? t('ui.feed.last_event', { time: longAgo(feed.last_event_at) })
    : t('ui.feed.no_event')
  switch (shapeOf(feed)) {
    case 'connected': {
      const time = connected_at ? now() - Date.parse(connected_at) : 0
      const since = time < 1000 ? t('ui.feed.connected_now') : t('ui.feed.connected_for', { time: duration(time) })
      const usual = rhythm_seconds ? t('ui.feed.usually', { time: duration(rhythm_seconds * 1000) }) : ''
      return [since, lastEvent, usual, hint ? t(`hint.${hint}`) : '']
    }
    case 'resting':
      return [t('ui.feed.between'), nextSentence(feed), lastEvent]
    case 'waiting':
    case 'needs_attention':
      return [reasonSentence(feed) || t(`state.${state}`), nextSentence(feed)]
    case 'connecting':
      return [t('state.connecting'), reasonSentence(feed)]
    case 'stopped':
      return [reasonSentence(feed), t('ui.feed.stopped')]
    case 'paused':
      return [t('ui.feed.paused')]
  }
}

/** When the next attempt follows; empty if none does. */
export function nextSentence(feed: Feed): string {
  const { next_attempt_at, attempt } = feed.connection
  if (!next_attempt_at) return ''
  const left = Date.parse(next_attempt_at) - now()
  if (shapeOf(feed) === 'resting') {
    return left > 0 ? t('ui.feed.next_ask', { time: duration(left) }) : t('ui.feed.next_ask_now')
  }
  const values = { attempt: attempt + 1, time: duration(left) }
  return left > 0 ? t('ui.feed.next_try', values) : t('ui.feed.next_try_now', values)
}

/** All feeds in one shape and sentence: the worst first. */
export function summary(feeds: Feed[]): { shape: Shape; text: string } {
  const shapes = feeds.map(shapeOf)
  const count = (...wanted: Shape[]) => shapes.filter((shape) => wanted.includes(shape)).length
  const attention = count('needs_attention')
  const waiting = count('waiting', 'connecting')
  const well = count('connected', 'resting')
  if (feeds.length === 0) return { shape: 'paused', text: t('ui.summary.none') }
  if (attention > 0) return { shape: 'needs_attention', text: tn('ui.summary.attention', attention) }
  if (waiting > 0) return { shape: 'waiting', text: tn('ui.summary.waiting', waiting) }
  if (well === 0) return { shape: 'paused', text: t('ui.summary.idle') }
  return { shape: 'connected', text: tn('ui.summary.connected', well) }
}

/** The rule that failed last. */
export function newestFault(feed: Feed | undefined): RuleFault | undefined {
  return feed?.rule_faults.reduce<RuleFault | undefined>((newest, fault) => (newest && newest.seq > fault.seq ? newest : fault), undefined)
}
