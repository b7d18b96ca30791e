import type { Feed } from '../generated/Feed'
import { shapeOf, type Shape } from './feed-state'

/** Feeds that stand together in a list; `name` is `null` for those without a group, which come first. */
export interface Group {
  name: string | null
  feeds: Feed[]
}

/** Where a feed is to stand: in a group, before another feed of it; `null`: at its end. */
export interface Spot {
  group: string | null
  before: string | null
}

/** Feeds by group. Groups stand in the order of their first feeds; the part without a group is always there. */
export function grouped(feeds: Feed[]): Group[] {
  const groups = new Map<string | null, Feed[]>([[null, []]])
  for (const feed of feeds) {
    const name = feed.group || null
    const known = groups.get(name)
    if (known) known.push(feed)
    else groups.set(name, [feed])
  }
  return [...groups].map(([name, feeds]) => ({ name, feeds }))
}

/** Feeds as lists show them. */
export function inOrder(feeds: Feed[]): Feed[] {
  return grouped(feeds).flatMap(({ feeds }) => feeds)
}

/** All feeds, in the order of lists, with this one at its new place. */
export function placed(feeds: Feed[], id: string, { group, before }: Spot): Feed[] {
  const moved = feeds.find((feed) => feed.id === id)
  if (!moved) return feeds
  const groups = grouped(feeds.filter((feed) => feed.id !== id))
  let own = groups.find(({ name }) => name === group)
  if (!own) groups.push((own = { name: group, feeds: [] }))
  const at = own.feeds.findIndex((feed) => feed.id === before)
  own.feeds.splice(at === -1 ? own.feeds.length : at, 0, { ...moved, group })
  return groups.flatMap(({ feeds }) => feeds)
}

/** The spot one step above (or below) where a feed stands; `null` if there is none. */
export function stepped(feeds: Feed[], id: string, step: 1 | -1): Spot | null {
  const groups = grouped(feeds)
  const at = groups.findIndex(({ feeds }) => feeds.some((feed) => feed.id === id))
  const own = groups[at]
  if (!own) return null
  const place = own.feeds.findIndex((feed) => feed.id === id)
  if (step === -1 && place > 0) return { group: own.name, before: own.feeds[place - 1]?.id ?? null }
  if (step === 1 && place < own.feeds.length - 1) return { group: own.name, before: own.feeds[place + 2]?.id ?? null }
  const next = groups[at + step]
  if (!next) return null
  return { group: next.name, before: step === 1 ? (next.feeds[0]?.id ?? null) : null }
}

const BADNESS: Shape[] = ['needs_attention', 'waiting', 'stopped', 'connecting', 'resting', 'connected', 'paused']

/** The feed of these that is worst off. */
export function worst(feeds: Feed[]): Feed | undefined {
  const rank = (feed: Feed) => BADNESS.indexOf(shapeOf(feed))
  return feeds.reduce<Feed | undefined>((found, feed) => (found && rank(found) <= rank(feed) ? found : feed), undefined)
}

export function unreadOf(feeds: Feed[]): number {
  return feeds.reduce((sum, feed) => sum + feed.counts.unread, 0)
}
