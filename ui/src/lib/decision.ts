import type { Event } from '../generated/Event'
import { t, type MessageKey } from '../i18n/messages.svelte'
import { untilTime } from '../i18n/times.svelte'

/** What kept a popup away, or had it told with others, whatever had decided that there be one. */
const GATES = [
  'muted',
  'paused',
  'snoozed',
  'quiet_hours',
  'flood',
  'catch_up',
  'backlog',
  'replaced',
  'withdrawn',
  'no_notifications',
]

/** Whether the detail of a reason is a moment. */
const lasts = (code: string) => code === 'snoozed' || code === 'quiet_hours'

/** The detail of an event's reason as it stands in a sentence. */
export function reasonDetail({ code, detail }: Event['reason']): string {
  return lasts(code) && !Number.isNaN(Date.parse(detail)) ? untilTime(detail) : detail
}

/** What decided what becomes of an event; `ownRules`: whether its feed has rules of its own. Empty if the sentence says it all. */
export function decidedBy({ code, rule, detail }: Event['reason'], ownRules: boolean): string {
  if (code === 'preset' || code === 'keep_alive' || code === 'snapshot') {
    if (detail === '') return ''
    return rule === null ? t('ui.why.by_preset', { preset: detail }) : t('ui.why.by_preset_rule', { preset: detail, rule })
  }
  if (code === 'default') return t('ui.why.by_default')
  if (code === 'no_match') return t('ui.why.by_no_rule')
  if (rule === null) return ''
  return ownRules || !GATES.includes(code) ? t('ui.why.by_rule', { rule }) : t('ui.why.by_its_preset', { rule })
}

/** What happened to the popup then, if something did. */
export function gate(reason: Event['reason']): string {
  if (!GATES.includes(reason.code)) return ''
  return t(`ui.why.gate_${reason.code}` as MessageKey, { time: reasonDetail(reason) })
}
