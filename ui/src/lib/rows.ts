import type { Event } from '../generated/Event'
import { dayOf } from '../i18n/times.svelte'

/** A row's height in CSS pixels; the style sheet of the list has the same. */
export const ROW = 76
/** The height of a day's name above its events. */
export const DAY = 34

/** A line of the list: an event, or the day under whose name events stand. */
export type Row = { key: string; top: number; height: number; at: number } & ({ event: Event } | { day: string })

// Days begin at a whole quarter of an hour in every time zone, so the text up to the tens of minutes decides.
const days = new Map<string, string>()

function day(time: string): string {
  const name = time.slice(0, 15)
  let found = days.get(name)
  if (found === undefined) {
    if (days.size > 10_000) days.clear()
    days.set(name, (found = dayOf(time)))
  }
  return found
}

/** Lays the events out, each day under its name. */
export function layOutRows(events: Event[]): Row[] {
  const rows: Row[] = []
  let top = 0
  let last = ''
  for (const [at, event] of events.entries()) {
    const today = day(event.received_at)
    if (today !== last) {
      rows.push({ key: `day ${today}`, top, height: DAY, at, day: event.received_at })
      top += DAY
      last = today
    }
    rows.push({ key: `${event.seq}`, top, height: ROW, at, event })
    top += ROW
  }
  return rows
}

/** The index of the row that holds the pixel `y`, or the last one. */
export function rowAt(rows: Row[], y: number): number {
  let low = 0
  let high = rows.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((rows[middle]?.top ?? 0) <= y) low = middle
    else high = middle - 1
  }
  return low
}
