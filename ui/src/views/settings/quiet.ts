import type { QuietHours } from '../../generated/QuietHours'
import { t } from '../../i18n/messages.svelte'
import { listed, timeOfDay, weekdayName } from '../../i18n/times.svelte'
import { DAYS, overMidnight, runs } from '../../lib/week'

/** `Mon–Thu and Sun`. */
export function daysText(range: QuietHours): string {
  if (range.days.length === 7) return t('ui.quiet.every_day')
  const name = (day: (typeof DAYS)[number]) => weekdayName(DAYS.indexOf(day))
  return listed(runs(range.days).map(([first, last]) => (first === last ? name(first) : t('ui.quiet.days', { first: name(first), last: name(last) }))))
}

/** `22:00–07:00 on the next day`. */
export function hoursText(range: QuietHours): string {
  const values = { from: timeOfDay(range.from), to: timeOfDay(range.to) }
  return overMidnight(range) ? t('ui.quiet.hours_next', values) : t('ui.quiet.hours', values)
}

/** `Mon–Thu and Sun 22:00–07:00`, with the time zone if it is its own. */
export function rangeText(range: QuietHours): string {
  const text = t('ui.quiet.range', { days: daysText(range), hours: hoursText(range) })
  return range.time_zone ? t('ui.quiet.in_zone', { range: text, zone: zoneName(range.time_zone) }) : text
}

/** `America/New York`. */
export function zoneName(zone: string): string {
  return zone.replaceAll('_', ' ')
}
