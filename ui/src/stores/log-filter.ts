import type { Event } from '../generated/Event'
import type { EventQuery } from '../generated/EventQuery'
import type { Outcome } from '../generated/Outcome'

/** Times back from now, and today. */
export const TIMES = ['1h', 'today', '24h', '7d', '30d'] as const
export type Time = (typeof TIMES)[number]

export const OUTCOMES: readonly Outcome[] = ['shown', 'summarized', 'held', 'pending', 'logged', 'ignored', 'closed']

/** What narrows the list of events; all conditions hold together. */
export interface Filter {
  feed: string | null
  search: string
  event: string | null
  /** Any of these; empty: all but ignored ones. */
  outcomes: Outcome[]
  unread: boolean
  time: Time | null
  /** Local times to the minute, as their fields have them: `2026-11-21T14:00`; empty: open. */
  from: string
  to: string
  /** The popup whose events are looked at. */
  summary: number | null
}

export const EVERYTHING: Filter = { feed: null, search: '', event: null, outcomes: [], unread: false, time: null, from: '', to: '', summary: null }

const HOUR = 3_600_000
const BACK: Record<Exclude<Time, 'today'>, number> = { '1h': HOUR, '24h': 24 * HOUR, '7d': 168 * HOUR, '30d': 720 * HOUR }

/** The filter of a place. */
export function filterOf(feed: string | null, query: URLSearchParams): Filter {
  const outcomes = (query.get('outcome') ?? '').split(',')
  const summary = Number(query.get('summary') ?? NaN)
  return {
    feed,
    search: query.get('search') ?? '',
    event: query.get('event'),
    outcomes: OUTCOMES.filter((outcome) => outcomes.includes(outcome)),
    unread: query.get('unread') === 'true',
    time: TIMES.find((time) => time === query.get('time')) ?? null,
    from: localTime(query.get('from')),
    to: localTime(query.get('to')),
    summary: Number.isSafeInteger(summary) && summary >= 0 ? summary : null,
  }
}

/** The query of a filter's place; the feed has its own part of it. */
export function placeOf(filter: Filter): URLSearchParams {
  const query = new URLSearchParams()
  const set = (name: string, value: string) => value !== '' && query.set(name, value)
  set('search', filter.search)
  set('event', filter.event ?? '')
  set('outcome', filter.outcomes.join(','))
  set('unread', filter.unread ? 'true' : '')
  set('time', filter.time ?? '')
  set('from', filter.from)
  set('to', filter.to)
  set('summary', filter.summary === null ? '' : String(filter.summary))
  return query
}

/** What the program is asked for; `now` in milliseconds. */
export function queryOf(filter: Filter, now: number): EventQuery {
  const { since, until } = timesOf(filter, now)
  const search = filter.search.trim()
  return {
    ...(filter.feed === null ? {} : { feed: filter.feed }),
    ...(filter.event === null ? {} : { event: filter.event }),
    ...(search === '' ? {} : { search }),
    ...(filter.unread ? { unread: true } : {}),
    ...(filter.summary === null ? {} : { summary: filter.summary }),
    ...(filter.outcomes.length === 0 ? {} : { outcome: filter.outcomes.join(',') }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  }
}

function timesOf({ time, from, to }: Filter, now: number): { since: string | null; until: string | null } {
  const moment = (local: string) => (local === '' ? null : new Date(local).toISOString())
  if (time === null) return { since: moment(from), until: moment(to) }
  const begin = time === 'today' ? new Date(now).setHours(0, 0, 0, 0) : now - BACK[time]
  return { since: new Date(begin).toISOString(), until: null }
}

/** Whether a popup tells of an event, or will: only these are read or unread. */
export function isTold({ outcome }: Pick<Event, 'outcome'>): boolean {
  return outcome === 'shown' || outcome === 'summarized' || outcome === 'pending' || outcome === 'held'
}

/** Whether an event that comes now belongs to the list. Searches aside: those only the event log knows. */
export function fits(event: Event, filter: Filter): boolean {
  if (filter.feed !== null && event.feed !== filter.feed) return false
  if (filter.event !== null && event.event !== filter.event) return false
  if (filter.summary !== null && event.summary !== filter.summary) return false
  if (filter.outcomes.length === 0 ? event.outcome === 'ignored' : !filter.outcomes.includes(event.outcome)) return false
  if (filter.unread && (event.read || !isTold(event))) return false
  const { since, until } = timesOf(filter, Date.now())
  const at = Date.parse(event.received_at)
  return (since === null || at >= Date.parse(since)) && (until === null || at < Date.parse(until))
}

/** Whether nothing narrows the list, the feed aside. */
export function isOpen(filter: Filter): boolean {
  return placeOf(filter).toString() === ''
}

/** Whether all unread events that the list has are those of the feed, of the popup, or all: they can be marked as one. */
export function isWhole(filter: Filter): boolean {
  return isOpen({ ...filter, unread: false, summary: null }) && (filter.feed === null || filter.summary === null)
}

/** Whether nothing but feed and time narrows it, so that it is told what happened to connections in between. */
export function tellsConnections(filter: Filter): boolean {
  return isOpen({ ...filter, time: null, from: '', to: '' })
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return a.feed === b.feed && placeOf(a).toString() === placeOf(b).toString()
}

function localTime(text: string | null): string {
  return text !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : ''
}
