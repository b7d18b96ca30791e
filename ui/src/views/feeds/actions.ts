import type { Feed } from '../../generated/Feed'
import { t } from '../../i18n/messages.svelte'
import { grouped, inOrder, stepped, type Spot } from '../../lib/groups'
import { sentence, type Stores } from '../../stores/stores'
import { Failure } from '../../transport/transport'

/** Removes a feed at once; a message offers to take that back. */
export async function removeFeed({ feeds, route, toasts, attempt }: Stores, feed: Feed): Promise<void> {
  const { view, query } = route
  const here = route.feed === feed.id
  await attempt(async () => {
    await feeds.remove(feed.id)
    if (here) route.go({}, true)
    const restore = async () => {
      await feeds.restore(feed.id)
      // Another that was removed since can still be brought back.
      if (feeds.undo?.id === feed.id) feeds.undo = null
      if (here) route.go({ view, feed: feed.id, query })
      toasts.show(t('ui.remove.undone', { name: feed.name }))
    }
    feeds.undo = { id: feed.id, name: feed.name, run: () => void attempt(restore) }
    toasts.show(t('ui.remove.done', { name: feed.name }), { action: { label: t('ui.remove.undo'), run: () => void attempt(restore) } })
  })
}

/** Moves a feed within the list, and says where it stands now, or why it does not. */
export async function moveFeed({ feeds, resident }: Stores, feed: Feed, spot: Spot | null): Promise<void> {
  if (!spot) return
  if (spot.group !== null) feeds.toggleGroup(spot.group, false)
  feeds.moved = null
  const moving = feeds.move(feed.id, spot)
  const own = grouped(resident.feeds).find(({ feeds }) => feeds.some(({ id }) => id === feed.id))
  const values = {
    name: feed.name,
    place: (own?.feeds.findIndex(({ id }) => id === feed.id) ?? 0) + 1,
    count: own?.feeds.length ?? 1,
    group: own?.name ?? '',
  }
  feeds.moved = { text: own?.name ? t('ui.rail.moved_in', values) : t('ui.rail.moved', values), refused: false }
  try {
    await moving
  } catch (thrown) {
    feeds.moved = { text: t('ui.rail.not_moved', { name: feed.name, reason: sentence(Failure.from(thrown)) }), refused: true }
  }
}

/** Moves a feed one step up or down, over the borders of groups. */
export async function stepFeed(stores: Stores, feed: Feed, step: 1 | -1): Promise<void> {
  const spot = stepped(stores.resident.feeds, feed.id, step)
  if (spot) return moveFeed(stores, feed, spot)
  stores.feeds.moved = { text: t(step === 1 ? 'ui.rail.last' : 'ui.rail.first', { name: feed.name }), refused: false }
}

/** Goes to the feed that stands so many places after (or before) the one that is looked at. */
export function goAlong({ route, resident }: Stores, steps: 1 | -1): void {
  const places = [null, ...inOrder(resident.feeds).map(({ id }) => id)]
  const at = Math.max(0, places.indexOf(route.view === 'settings' ? null : route.feed))
  const feed = places[(at + steps + places.length) % places.length]
  route.go({ feed: feed ?? null })
}
