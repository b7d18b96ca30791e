import { regionalLocale, t } from './messages.svelte'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let present = $state(Date.now())

/** The present, in milliseconds; whatever shows it follows it, once a second while `startClock` runs. */
export function now(): number {
  return present
}

/** Keeps {@link now} going; it stands still while the window is hidden. */
export function startClock(): () => void {
  const tick = () => {
    if (!document.hidden) present = Date.now()
  }
  tick()
  const timer = setInterval(tick, SECOND)
  document.addEventListener('visibilitychange', tick)
  return () => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', tick)
  }
}

// Making a formatter is slow, and a list asks for the same few again and again.
const formatters = new Map<string, unknown>()
function formatter<T>(kind: string, make: (locale: string) => T): T {
  const locale = regionalLocale()
  const name = `${locale} ${kind}`
  let found = formatters.get(name) as T | undefined
  if (!found) formatters.set(name, (found = make(locale)))
  return found
}

/** `5 min ago`; from an hour on the time of day, from a day on the date too. */
export function ago(time: string): string {
  const then = Date.parse(time)
  const age = present - then
  if (age < MINUTE && age > -MINUTE) return t('ui.log.now')
  if (age < HOUR && age > 0) {
    const relative = formatter('ago', (name) => new Intl.RelativeTimeFormat(name, { style: 'short' }))
    return relative.format(-Math.floor(age / MINUTE), 'minute')
  }
  return clockTime(time)
}

/** `5 minutes ago`, `2 days ago`: within a sentence. */
export function longAgo(time: string): string {
  const age = Math.max(0, present - Date.parse(time))
  if (age < MINUTE) return t('ui.log.now')
  const [amount, unit] = largest(age)
  const relative = formatter('long ago', (name) => new Intl.RelativeTimeFormat(name))
  return relative.format(-amount, unit)
}

/** `12 seconds`, `3 hours`. */
export function duration(milliseconds: number): string {
  const [amount, unit] = largest(milliseconds)
  return formatter(
    `duration ${unit}`,
    (name) => new Intl.NumberFormat(name, { style: 'unit', unit, unitDisplay: 'long' }),
  ).format(amount)
}

/** `90 seconds`, `2 minutes`: nothing rounded off. */
export function wholeDuration(seconds: number): string {
  const [amount, unit] = seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second']
  return formatter(
    `duration ${unit}`,
    (name) => new Intl.NumberFormat(name, { style: 'unit', unit, unitDisplay: 'long' }),
  ).format(amount)
}

function largest(milliseconds: number): [number, 'second' | 'minute' | 'hour' | 'day'] {
  if (milliseconds < MINUTE) return [Math.max(0, Math.ceil(milliseconds / SECOND)), 'second']
  if (milliseconds < HOUR) return [Math.floor(milliseconds / MINUTE), 'minute']
  if (milliseconds < 2 * DAY) return [Math.floor(milliseconds / HOUR), 'hour']
  return [Math.floor(milliseconds / DAY), 'day']
}

/** `14:05`. */
export function clockTime(time: string): string {
  return formatter('clock', (name) => new Intl.DateTimeFormat(name, { hour: '2-digit', minute: '2-digit' })).format(
    new Date(time),
  )
}

/** `14`, `2 PM`: a full hour. */
export function hourTime(time: string): string {
  return formatter('hour', (name) => new Intl.DateTimeFormat(name, { hour: 'numeric' })).format(new Date(time))
}

/** `14:05`, from tomorrow on with the day: until when something lasts. */
export function untilTime(time: string): string {
  const day = dayOf(time)
  if (day === dayOf(new Date(present).toISOString())) return clockTime(time)
  if (day === dayOf(new Date(present + DAY).toISOString())) return t('time.tomorrow', { time: clockTime(time) })
  return formatter(
    'until',
    (name) => new Intl.DateTimeFormat(name, { dateStyle: 'medium', timeStyle: 'short' }),
  ).format(new Date(time))
}

/** Date and time to the second. */
export function exact(time: string): string {
  return formatter(
    'exact',
    (name) => new Intl.DateTimeFormat(name, { dateStyle: 'full', timeStyle: 'medium' }),
  ).format(new Date(time))
}

/** A day's own number, to tell days apart in the person's time zone. */
export function dayOf(time: string): string {
  const date = new Date(time)
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`
}

/** `Today`, `Yesterday`, `Monday, 3 November`. */
export function dayName(time: string): string {
  const day = dayOf(time)
  if (day === dayOf(new Date(present).toISOString())) return t('ui.log.today')
  if (day === dayOf(new Date(present - DAY).toISOString())) return t('ui.log.yesterday')
  const thisYear = new Date(time).getFullYear() === new Date(present).getFullYear()
  return formatter(`day ${thisYear}`, (name) => {
    const year = thisYear ? undefined : 'numeric'
    return new Intl.DateTimeFormat(name, { weekday: 'long', day: 'numeric', month: 'long', year })
  }).format(new Date(time))
}

/** `Mon`, or `Monday`: a day of the week, from Monday as 0. */
export function weekdayName(day: number, weekday: 'short' | 'long' = 'short'): string {
  // The first of January 2024 was a Monday.
  return formatter(`weekday ${weekday}`, (name) => new Intl.DateTimeFormat(name, { weekday, timeZone: 'UTC' })).format(Date.UTC(2024, 0, 1 + day))
}

/** `22:00` as a clock shows it where the person lives: `10:00 PM`. */
export function timeOfDay(time: string): string {
  return formatter('time of day', (name) => new Intl.DateTimeFormat(name, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })).format(
    new Date(`2024-01-01T${time}:00Z`),
  )
}

/** `2 March 2025`. */
export function dateOf(time: string | number): string {
  return formatter('date', (name) => new Intl.DateTimeFormat(name, { dateStyle: 'long' })).format(new Date(time))
}

/** `a, b and c`. */
export function listed(items: string[]): string {
  return formatter('list', (name) => new Intl.ListFormat(name)).format(items)
}

/** `48,213`. */
export function count(number: number): string {
  return formatter('count', (name) => new Intl.NumberFormat(name)).format(number)
}

/** `12 kB`. */
export function size(bytes: number): string {
  const steps: [number, string][] = [[1e9, 'gigabyte'], [1e6, 'megabyte'], [1000, 'kilobyte'], [1, 'byte']]
  const [step, unit] = steps.find(([step]) => bytes >= step) ?? [1, 'byte']
  return formatter(
    `size ${unit}`,
    (name) => {
      const unitDisplay = unit === 'byte' ? 'long' : 'short'
      return new Intl.NumberFormat(name, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 1 })
    },
  ).format(bytes / step)
}
