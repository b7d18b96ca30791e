import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Event } from '../generated/Event'
import type { EventDay } from '../generated/EventDay'
import { notesOf, type Note } from './connections'

/** Heights in CSS pixels; the style sheet of the list has the same. */
export const ROW = 76
/** Of a day's name above its events. */
export const DAY = 34
/** Of what is told of a connection. */
export const NOTE = 30

/** A line of the list. `y`: its place within its chunk; `at`: which of the chunk's events it is, or stands before. */
export type Line = { key: string; y: number; height: number; at: number } & (
  | { kind: 'event'; event: Event }
  /** An event that has not been fetched. */
  | { kind: 'waiting' }
  | { kind: 'day'; day: string }
  | { kind: 'note'; note: Note }
)

/** Some of the list's events, in a row. What is not fetched, or not any more, is known by number and days alone. */
export class Chunk {
  /** Newest first; `null`: not fetched, or forgotten. */
  rows: Event[] | null = null
  /** Whether its events may have changed since they were fetched. */
  stale = false
  /** Whether what follows it is unknown, and so how many they are. */
  open = false
  /** When it was looked at last, by the list's own count. */
  used = 0
  /** The places where days begin, from 0 within it; its first event's day always stands there. */
  days: EventDay[]
  /** What happened to connections between its events, if that is to be told. */
  changes: ConnectionChange[] = []
  /** How that is told, above the event at `at`. */
  notes: { at: number; note: Note }[] = []
  /** Whether its first event is the first of its day. */
  headed = false
  /** Its place in the list, in pixels and in events. */
  y = 0
  place = 0

  #lines: Line[] | null = null

  constructor(
    readonly id: number,
    /** None of its events has a greater number; the next chunk's ends it. */
    public top: number,
    public count: number,
    days: EventDay[] = [],
  ) {
    this.days = days
  }

  get height(): number {
    const days = Math.max(0, this.days.length - 1) + (this.headed ? 1 : 0)
    return this.count * ROW + days * DAY + this.notes.length * NOTE
  }

  /** Gives it its events. */
  put(rows: Event[], changes: ConnectionChange[] = this.changes): void {
    this.rows = rows
    this.count = rows.length
    this.days = daysOf(rows)
    this.changes = changes
    this.notes = notesOf(rows, changes)
    this.#lines = null
  }

  /** Changes its events in place: none of them comes or goes. */
  change(change: (event: Event) => Event): void {
    if (!this.rows) return
    this.rows = this.rows.map(change)
    this.#lines = null
  }

  /** Forgets its events, but for what its height depends on. */
  forget(): void {
    this.rows = null
    this.#lines = null
  }

  setHeaded(headed: boolean): void {
    if (this.headed !== headed) this.#lines = null
    this.headed = headed
  }

  get lines(): Line[] {
    return (this.#lines ??= this.#layOut())
  }

  #layOut(): Line[] {
    const lines: Line[] = []
    const { rows, days, notes } = this
    let y = 0
    let day = 0
    let note = 0
    const add = (line: Line) => {
      lines.push(line)
      y += line.height
    }
    for (let at = 0; at <= this.count; at++) {
      const begins = days[day]
      if (begins?.at === at) {
        day += 1
        if (at > 0 || this.headed) add({ kind: 'day', key: `day ${begins.day}`, y, height: DAY, at, day: begins.day })
      }
      for (let told = notes[note]; told?.at === at; told = notes[++note]) {
        add({ kind: 'note', key: `note ${told.note.number}`, y, height: NOTE, at, note: told.note })
      }
      if (at === this.count) break
      const event = rows?.[at]
      if (event) add({ kind: 'event', key: `${event.seq}`, y, height: ROW, at, event })
      else add({ kind: 'waiting', key: `${this.id} ${at}`, y, height: ROW, at })
    }
    return lines
  }
}

// Days begin at a whole minute in every time zone, so the text up to the minutes decides.
const known = new Map<string, string>()

/** The day of a moment in the person's time zone, such as `2026-11-21`. */
export function localDay(time: string): string {
  const name = time.slice(0, 16)
  let day = known.get(name)
  if (day === undefined) {
    const date = new Date(time)
    const two = (number: number) => String(number).padStart(2, '0')
    if (known.size > 10_000) known.clear()
    known.set(name, (day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`))
  }
  return day
}

/** A day's noon, for who names it. */
export function noonOf(day: string): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return new Date(year, month - 1, date, 12).toISOString()
}

/** Where days begin in a list that has the newest first: a clock that was set back begins none anew. */
export function daysOf(rows: Event[]): EventDay[] {
  const days: EventDay[] = []
  let last = ''
  for (const [at, event] of rows.entries()) {
    const day = localDay(event.received_at)
    if (last !== '' && day >= last) continue
    days.push({ day, at })
    last = day
  }
  return days
}

/** The index of the last of `items` that begins at `y` or above. */
export function lastAt(items: { y: number }[], y: number): number {
  let low = 0
  let high = items.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((items[middle]?.y ?? 0) <= y) low = middle
    else high = middle - 1
  }
  return low
}
