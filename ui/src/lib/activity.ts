import type { ConnectionReason } from '../generated/ConnectionReason'
import type { FeedActivity } from '../generated/FeedActivity'

/** A time in which a feed was not connected, as parts of the whole from 0 to 1. */
export interface Outage {
  /** When it began, in milliseconds; none if that was before. */
  from: number | null
  /** When it ended; none if it has not. */
  to: number | null
  start: number
  end: number
  reason: ConnectionReason | null
}

/** When a step began and ended, in milliseconds. */
export function stepOf({ from, step_seconds }: FeedActivity, at: number): [number, number] {
  const start = Date.parse(from) + at * step_seconds * 1000
  return [start, start + step_seconds * 1000]
}

export function total({ events }: FeedActivity): number {
  return events.reduce((sum, count) => sum + count, 0)
}

/** The step with the most events; the first of several. */
export function busiest({ events }: FeedActivity): number {
  return events.indexOf(Math.max(...events))
}

/** The times without a connection. */
export function outages(activity: FeedActivity): Outage[] {
  const begin = Date.parse(activity.from)
  const whole = activity.events.length * activity.step_seconds * 1000
  const part = (time: number) => Math.min(1, Math.max(0, (time - begin) / whole))
  const found: Outage[] = []
  let lost: { at: number; reason: ConnectionReason | null } | null = null
  for (const change of activity.connections) {
    const at = Date.parse(change.at)
    if (change.kind === 'lost') {
      lost ??= { at, reason: change.reason }
    } else {
      const away = change.away_seconds === null ? null : at - change.away_seconds * 1000
      const from = lost?.at ?? (away !== null && away >= begin ? away : null)
      found.push({ from, to: at, start: part(from ?? begin), end: part(at), reason: lost?.reason ?? change.reason })
      lost = null
    }
  }
  if (lost) found.push({ from: lost.at, to: null, start: part(lost.at), end: 1, reason: lost.reason })
  return found
}

/** Full hours to write under the steps, every so many, as their times and their places from 0 to 1. */
export function hourMarks(activity: FeedActivity, every: number): { time: string; at: number }[] {
  const begin = Date.parse(activity.from)
  const whole = activity.events.length * activity.step_seconds * 1000
  const marks: { time: string; at: number }[] = []
  const hour = new Date(begin)
  hour.setMinutes(0, 0, 0)
  for (; hour.getTime() < begin + whole; hour.setHours(hour.getHours() + 1)) {
    if (hour.getTime() < begin || hour.getHours() % every !== 0) continue
    marks.push({ time: hour.toISOString(), at: (hour.getTime() - begin) / whole })
  }
  return marks
}
