import type { QuietHours } from '../generated/QuietHours'
import type { Weekday } from '../generated/Weekday'

export const DAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
/** Minutes of a day. */
export const DAY = 24 * 60
const WEEK = 7 * DAY
/** The picture's finest step, and the shortest range that can be drawn, in minutes. */
export const STEP = 15
/** Most ranges that the program takes. */
export const MAX_RANGES = 32

/** A part of a range within one row of the week's picture. */
export interface Block {
  /** Which range, by its place in the list. */
  range: number
  /** The row, from Monday. */
  day: number
  /** Minutes since the row's midnight. */
  from: number
  to: number
  /** Whether the range begins, or ends, in this row. */
  head: boolean
  tail: boolean
  /** Whether another range holds here as well. */
  over: boolean
}

/** Minutes since midnight of `22:00`. */
export function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

/** `22:00`, whatever day it is on. */
export function clock(minutes: number): string {
  const time = modulo(minutes, DAY)
  return `${String(Math.floor(time / 60)).padStart(2, '0')}:${String(time % 60).padStart(2, '0')}`
}

/** How long a range lasts, in minutes: to the next day if its end is not later than its beginning. */
export function length({ from, to }: QuietHours): number {
  const time = minutes(to) - minutes(from)
  return time > 0 ? time : time + DAY
}

/** Whether a range ends on the day after that on which it begins. */
export function overMidnight(range: QuietHours): boolean {
  return minutes(range.to) !== 0 && minutes(range.from) + length(range) > DAY
}

export function snap(minutes: number): number {
  return Math.round(minutes / STEP) * STEP
}

/** The ranges as blocks in rows; `shift`: minutes by which a range's clock is behind the picture's. */
export function blocks(ranges: QuietHours[], shift: (range: QuietHours) => number = () => 0): Block[] {
  const found = ranges.flatMap((range, at) =>
    range.days.flatMap((day) => parts(at, DAYS.indexOf(day) * DAY + minutes(range.from) + shift(range), length(range))),
  )
  const over = (block: Block) =>
    found.some((other) => other.range !== block.range && other.day === block.day && other.from < block.to && block.from < other.to)
  return found.map((block) => ({ ...block, over: over(block) }))
}

function parts(range: number, start: number, time: number): Block[] {
  const first = modulo(start, WEEK)
  const cut: Block[] = []
  for (let at = first; at < first + time; at = (Math.floor(at / DAY) + 1) * DAY) {
    const day = Math.floor(at / DAY)
    const to = Math.min(first + time, (day + 1) * DAY)
    cut.push({ range, day: day % 7, from: at - day * DAY, to: to - day * DAY, head: at === first, tail: to === first + time, over: false })
  }
  return cut
}

/** Pairs of ranges that hold at the same time somewhere. */
export function overlaps(ranges: QuietHours[], shift?: (range: QuietHours) => number): [number, number][] {
  const all = blocks(ranges, shift)
  const pairs = new Map<string, [number, number]>()
  for (const a of all) {
    for (const b of all) {
      if (a.range < b.range && a.day === b.day && a.from < b.to && b.from < a.to) pairs.set(`${a.range} ${b.range}`, [a.range, b.range])
    }
  }
  return [...pairs.values()]
}

/** A range drawn from one place of the picture to another: the days between the rows, the hours between the minutes. */
export function drawn(from: { day: number; minute: number }, to: { day: number; minute: number }): QuietHours {
  const [first, last] = [Math.min(from.day, to.day), Math.max(from.day, to.day)]
  const start = Math.min(snap(Math.min(from.minute, to.minute)), DAY - STEP)
  const end = Math.max(start + STEP, Math.min(DAY, snap(Math.max(from.minute, to.minute))))
  return { days: DAYS.slice(first, last + 1), from: clock(start), to: clock(end), time_zone: null }
}

/** A range whose beginning and end are later by so many minutes. */
export function moved(range: QuietHours, by: number): QuietHours {
  const from = snap(minutes(range.from) + by)
  return { ...range, days: later(range.days, Math.floor(from / DAY)), from: clock(from), to: clock(from + length(range)) }
}

/** A range that begins so many minutes later, and ends as before. */
export function begun(range: QuietHours, by: number): QuietHours {
  const end = minutes(range.from) + length(range)
  const from = clamp(snap(minutes(range.from) + by), end - DAY, end - STEP)
  return { ...range, days: later(range.days, Math.floor(from / DAY)), from: clock(from) }
}

/** A range that ends so many minutes later, and begins as before. */
export function ended(range: QuietHours, by: number): QuietHours {
  const from = minutes(range.from)
  return { ...range, to: clock(clamp(snap(from + length(range) + by), from + STEP, from + DAY)) }
}

function later(days: Weekday[], by: number): Weekday[] {
  if (by === 0) return days
  return ordered(days.map((day) => DAYS[modulo(DAYS.indexOf(day) + by, 7)] ?? day))
}

/** Days from Monday on, each once. */
export function ordered(days: Weekday[]): Weekday[] {
  return DAYS.filter((day) => days.includes(day))
}

/** Days that follow one another, together: Mon–Thu and Sun are `[[mon, thu], [sun, sun]]`. */
export function runs(days: Weekday[]): [Weekday, Weekday][] {
  const found: [Weekday, Weekday][] = []
  for (const day of ordered(days)) {
    const last = found.at(-1)
    if (last && DAYS.indexOf(last[1]) + 1 === DAYS.indexOf(day)) last[1] = day
    else found.push([day, day])
  }
  // Two days are named one by one.
  return found.flatMap(([first, last]): [Weekday, Weekday][] =>
    DAYS.indexOf(last) - DAYS.indexOf(first) === 1 ? [[first, first], [last, last]] : [[first, last]],
  )
}

/** By how many minutes a clock there is behind one here, at that moment; 0 for a zone that nobody knows. */
export function behind(there: string, here: string, at: Date): number {
  try {
    return wall(here, at) - wall(there, at)
  } catch {
    return 0
  }
}

/** What a clock on the wall of a time zone shows, in minutes. */
function wall(timeZone: string, at: Date): number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timeZone === '' ? undefined : timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute) / 60_000
}

const modulo = (number: number, by: number) => ((number % by) + by) % by
const clamp = (number: number, least: number, most: number) => Math.min(most, Math.max(least, number))
