import type { ProbeEvent } from '../generated/ProbeEvent'

/** What a popup says. */
export interface Popup {
  title: string
  body: string
}

/** Types of events that only say that a server is alive. */
const ALIVE = new Set(['heartbeat', 'keep-alive', 'keepalive', 'open', 'ping', 'poll_request'])

export function isSignOfLife({ event }: Pick<ProbeEvent, 'event'>): boolean {
  return ALIVE.has(event)
}

const TITLES = ['title', 'subject', 'summary', 'name']
const BODIES = ['message', 'body', 'text', 'description', 'content']
/** Most characters of a body that are worth showing. */
const LONG = 280

/** What the default popup of an event says: the same fields that the program looks for where no rule is about it. */
export function samplePopup({ event, data }: Pick<ProbeEvent, 'event' | 'data'>, feed: string): Popup {
  const plain = event === 'message' ? feed : `${feed}: ${event}`
  const value = parse(data)
  if (value === null) return { title: plain, body: data.slice(0, LONG) }
  const first = (names: string[]) => names.map((name) => text(value[name])).find((found) => found !== '')
  const rest = () =>
    Object.entries(value)
      .filter(([name]) => !TITLES.includes(name))
      .map(([name, part]) => `${name}: ${text(part) || JSON.stringify(part)}`)
      .join('\n')
  return { title: (first(TITLES) ?? plain).slice(0, LONG), body: (first(BODIES) ?? rest()).slice(0, LONG) }
}

function parse(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
