import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Event } from '../generated/Event'
import type { EventDay } from '../generated/EventDay'
import type { EventIndex } from '../generated/EventIndex'
import type { EventPage } from '../generated/EventPage'
import { Chunk, lastAt, type Line } from './rows'

/** Events of a chunk. */
export const STEP = 200
/** Chunks whose events are kept. */
const KEPT = 30

/** Most that is known of connections between the events of a chunk. */
const CHANGES = 500

/** A place in the list that stays the same while chunks come and go above it. */
export interface Anchor {
  /** The number of the event there, if it was fetched. */
  seq: number | null
  chunk: Chunk
  at: number
  /** How far below the event's upper edge, in pixels. */
  offset: number
}

/**
 * A list of events of any length, newest first, as chunks of which only those that are looked at hold their events. How long it is
 * comes from an index; without one it ends with a chunk of unknown length.
 */
export class Chunks {
  list: Chunk[] = []
  height = 0
  count = 0

  #next = 1
  #looks = 0

  /** Whether it is known how many events there are. */
  get counted(): boolean {
    return !this.list.at(-1)?.open
  }

  /** A list that begins with this page; how it goes on is not known yet. */
  static of(page: EventPage): Chunks {
    const chunks = new Chunks()
    const first = page.events[0]
    if (first) {
      const head = chunks.#make(first.seq, page.events.length)
      head.put(page.events, page.connections)
      chunks.list.push(head)
      chunks.follow(page.next_before)
    }
    chunks.layOut()
    return chunks
  }

  /** Ends the list with a chunk of unknown length before this event, if there are more. */
  follow(before: number | null): void {
    if (before === null) return
    const tail = this.#make(before - 1, STEP)
    tail.open = true
    this.list.push(tail)
  }

  /** The list that an index tells of, with what this one has fetched. The newest events may be missing in either. */
  indexed({ count, step, marks, days }: EventIndex): Chunks {
    const chunks = new Chunks()
    chunks.#next = this.#next
    chunks.#looks = this.#looks
    const parts = daysByChunk(days, step, marks.length)
    const held = this.list.filter(({ rows }) => rows)
    chunks.list = marks.map((top, at) => {
      const chunk = chunks.#make(top, Math.min(step, count - at * step), parts[at])
      this.#lend(chunk, marks[at + 1] ?? 0, held)
      return chunk
    })
    // More has come since the index was made.
    chunks.arrive(this.list[0]?.rows ?? [])
    return chunks
  }

  /** Gives a chunk of another list its events, if this one has them all. */
  #lend(chunk: Chunk, bottom: number, held: Chunk[]): void {
    const within = (seq: number) => seq <= chunk.top && seq > bottom
    const lenders = held.filter(({ rows }) => (rows?.[0]?.seq ?? 0) > bottom && (rows?.at(-1)?.seq ?? 0) <= chunk.top)
    const rows = lenders.flatMap((lender) => lender.rows?.filter(({ seq }) => within(seq)) ?? [])
    if (rows.length !== chunk.count) return
    chunk.put(rows, lenders.flatMap(({ changes }) => changes.filter(({ after }) => within(after) || (bottom === 0 && after === 0))))
    chunk.stale = lenders.some(({ stale }) => stale)
    chunk.used = Math.max(...lenders.map(({ used }) => used))
  }

  #make(top: number, count: number, days: EventDay[] = []): Chunk {
    return new Chunk(this.#next++, top, count, days)
  }

  // What comes and goes

  /** The number of the newest event. */
  get newest(): number {
    return this.list[0]?.rows?.[0]?.seq ?? this.list[0]?.top ?? 0
  }

  /** New events, newest first, above all others. */
  arrive(events: Event[]): void {
    const newest = this.newest
    const fresh = events.filter((event) => event.seq > newest)
    for (let end = fresh.length; end > 0; ) {
      let head = this.list[0]
      if (!head?.rows || head.count >= STEP) {
        head = this.#make(0, 0)
        head.put([])
        this.list.unshift(head)
      }
      const begin = Math.max(0, end - (STEP - head.count))
      const rows = [...fresh.slice(begin, end), ...(head.rows ?? [])]
      head.put(rows)
      head.top = rows[0]?.seq ?? head.top
      end = begin
    }
    this.layOut()
  }

  /**
   * Gives a chunk what was fetched of it; what came to its head meanwhile stays: `before` was the newest when it was asked for. It
   * may be more or less than was thought.
   */
  fill(chunk: Chunk, fetched: Event[], changes: ConnectionChange[], next: number | null, before: number): void {
    const place = this.list.indexOf(chunk)
    if (place === -1) return
    const bottom = this.bottom(chunk)
    const newest = Math.max(before, fetched[0]?.seq ?? 0)
    const later = place === 0 ? (chunk.rows ?? []).filter(({ seq }) => seq > newest) : []
    // What came meanwhile may stand in a chunk of its own above.
    const rows = [...later, ...(place === 0 ? fetched : fetched.filter(({ seq }) => seq <= chunk.top))]
    const pieces: Chunk[] = []
    for (let at = 0; at < rows.length; at += STEP) {
      const rest = rows.length - at
      const piece = rows.slice(at, rest < 2 * STEP ? undefined : at + STEP)
      const upper = at === 0 ? (place === 0 ? Infinity : chunk.top) : (piece[0]?.seq ?? 0)
      const lower = rest < 2 * STEP ? bottom : (rows[at + STEP]?.seq ?? 0)
      const own = at === 0 ? chunk : this.#make(upper, piece.length)
      own.put(piece, changes.filter(({ after }) => after <= upper && (after > lower || lower === 0)))
      pieces.push(own)
      if (rest < 2 * STEP) break
    }
    chunk.open = false
    chunk.stale = false
    this.list.splice(place, 1, ...pieces)
    if (place === 0 && pieces[0]) pieces[0].top = rows[0]?.seq ?? pieces[0].top
    if (next !== null) this.follow(next)
    this.layOut()
  }

  /** Takes events away. */
  remove(seqs: Set<number>): void {
    for (const chunk of new Set([...seqs].map((seq) => this.of(seq)))) {
      if (!chunk?.rows?.some(({ seq }) => seqs.has(seq))) continue
      chunk.put(chunk.rows.filter(({ seq }) => !seqs.has(seq)))
    }
    this.list = this.list.filter(({ count }) => count > 0)
    this.layOut()
  }

  /** Tells of something that happened to a connection. */
  note(change: ConnectionChange): void {
    const chunk = this.of(change.after)
    if (!chunk?.rows) return
    const changes = [...chunk.changes, change]
    const kept = changes.length > CHANGES ? changes.sort((one, other) => other.number - one.number).slice(0, CHANGES) : changes
    chunk.put(chunk.rows, kept)
    this.layOut()
  }

  // Where things are

  layOut(): void {
    let y = 0
    let place = 0
    let day = ''
    for (const chunk of this.list) {
      chunk.y = y
      chunk.place = place
      chunk.setHeaded(chunk.days[0] !== undefined && chunk.days[0].day !== day)
      day = chunk.days.at(-1)?.day ?? day
      y += chunk.height
      place += chunk.count
    }
    this.height = y
    this.count = place
  }

  /** No event of this chunk has this number or a smaller one. */
  bottom(chunk: Chunk): number {
    return this.list[this.list.indexOf(chunk) + 1]?.top ?? 0
  }

  /** The chunk that has, or would have, the event of this number. */
  of(seq: number): Chunk | undefined {
    let low = 0
    let high = this.list.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.list[middle]?.top ?? 0) >= seq) low = middle
      else high = middle - 1
    }
    return this.list[low]
  }

  /** The event's place in the whole list, from 0; where it would be if it is not known. */
  placeOf(seq: number): number {
    const chunk = this.of(seq)
    if (!chunk) return 0
    return chunk.place + (chunk.rows ? chunk.rows.filter((event) => event.seq > seq).length : this.#guess(chunk, seq))
  }

  /** Where in a chunk that was not fetched an event probably is. */
  #guess(chunk: Chunk, seq: number): number {
    const span = chunk.top - this.bottom(chunk)
    return Math.min(chunk.count - 1, Math.max(0, Math.floor(((chunk.top - seq) / Math.max(1, span)) * chunk.count)))
  }

  /** The chunk that has the event at this place. */
  at(place: number): Chunk | undefined {
    let low = 0
    let high = this.list.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.list[middle]?.place ?? 0) <= place) low = middle
      else high = middle - 1
    }
    return this.list[low]
  }

  /** What is between these two heights. */
  lines(from: number, to: number): { chunk: Chunk; line: Line }[] {
    const found: { chunk: Chunk; line: Line }[] = []
    for (let at = lastAt(this.list, from); at < this.list.length; at++) {
      const chunk = this.list[at]
      if (!chunk || chunk.y > to) break
      const { lines } = chunk
      for (let index = lastAt(lines, from - chunk.y); index < lines.length; index++) {
        const line = lines[index]
        if (!line || chunk.y + line.y > to) break
        found.push({ chunk, line })
      }
    }
    return found
  }

  /** The day of what is at a height. */
  dayAt(y: number): string | undefined {
    const index = lastAt(this.list, y)
    const chunk = this.list[index]
    if (!chunk) return undefined
    const { at } = chunk.lines[lastAt(chunk.lines, y - chunk.y)] ?? { at: 0 }
    const day = chunk.days.findLast((day) => day.at <= at)
    return day?.day ?? this.list.slice(0, index).findLast(({ days }) => days.length > 0)?.days.at(-1)?.day
  }

  /** The chunks between these two heights, which counts as a look at them. */
  look(from: number, to: number): Chunk[] {
    const seen = this.list.slice(lastAt(this.list, from), lastAt(this.list, to) + 1)
    this.#looks += 1
    for (const chunk of seen) chunk.used = this.#looks
    return seen
  }

  /** Lets go of the events of chunks that were not looked at for long. */
  forget(): void {
    const held = this.list.filter(({ rows }) => rows)
    if (held.length <= KEPT) return
    held.sort((a, b) => b.used - a.used)
    for (const chunk of held.slice(KEPT)) chunk.forget()
  }

  /** What stands at a height. */
  anchor(y: number): Anchor | undefined {
    const chunk = this.list[lastAt(this.list, y)]
    if (!chunk) return undefined
    const from = lastAt(chunk.lines, y - chunk.y)
    const line = chunk.lines.slice(from).find(({ kind }) => kind === 'event' || kind === 'waiting') ?? chunk.lines[from]
    if (!line) return undefined
    return { seq: line.kind === 'event' ? line.event.seq : null, chunk, at: line.at, offset: y - chunk.y - line.y }
  }

  /** Where an anchor is by now. */
  yOf(anchor: Anchor): number {
    const here = this.list.includes(anchor.chunk)
    const seq = anchor.seq ?? (here ? null : anchor.chunk.top)
    const chunk = seq === null ? anchor.chunk : this.of(seq)
    if (!chunk) return 0
    const same = chunk === anchor.chunk && !chunk.rows
    const at = seq === null || same ? anchor.at : this.placeOf(seq) - chunk.place
    const line = chunk.lines.find((line) => line.at >= at && line.kind !== 'day' && line.kind !== 'note') ?? chunk.lines.at(-1)
    return chunk.y + (line?.y ?? 0) + anchor.offset
  }

  /** The line of an event, with the name of the day that stands above it; `undefined` if it is not fetched, or not there. */
  lineOf(seq: number): { top: number; bottom: number } | undefined {
    const chunk = this.of(seq)
    const index = chunk?.lines.findIndex((line) => line.kind === 'event' && line.event.seq === seq) ?? -1
    const line = chunk?.lines[index]
    if (!chunk || !line) return undefined
    const above = chunk.lines[index - 1]
    return { top: chunk.y + (above?.kind === 'day' ? above.y : line.y), bottom: chunk.y + line.y + line.height }
  }
}

/** Of days by their places in the whole list, those of each chunk. */
function daysByChunk(days: EventDay[], step: number, chunks: number): EventDay[][] {
  const parts: EventDay[][] = Array.from({ length: chunks }, () => [])
  let day = 0
  for (let at = 0; at < chunks; at++) {
    const begin = at * step
    while ((days[day + 1]?.at ?? Infinity) <= begin) day += 1
    const first = days[day]
    const part = parts[at]
    if (!first || !part) break
    part.push({ day: first.day, at: 0 })
    for (let next = day + 1; (days[next]?.at ?? Infinity) < begin + step; next++) {
      const later = days[next]
      if (later) part.push({ day: later.day, at: later.at - begin })
    }
  }
  return parts
}
