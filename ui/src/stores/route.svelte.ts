import { decode } from '../lib/addresses'

/** A room of the window. */
export type View = 'events' | 'feed' | 'rules' | 'settings'

/** A place in the window, with what is looked at there. */
export interface Place {
  view: View
  /** The feed's id; `null`: all events, or no feed. */
  feed: string | null
  /** A section of the settings. */
  section: string
  /** Filters of the log, the event that rules are made from, … */
  query: URLSearchParams
}

const STORED = 'place'

/**
 * Where the window is. It is kept in the address's fragment, so that going back works and a place can be given to somebody as a
 * text, and in the webview's storage, so that the window opens where it was left:
 * `#/events?feed=ops&search=disk`, `#/feeds/ops`, `#/feeds/ops/rules?event=12`, `#/settings/quiet-hours`.
 */
export class Route implements Place {
  view = $state<View>('events')
  feed = $state<string | null>(null)
  section = $state('')
  query = $state.raw(new URLSearchParams())

  constructor() {
    if (location.hash === '') history.replaceState(null, '', localStorage.getItem(STORED) ?? '#/events')
    this.#read()
  }

  /** Follows the address until the returned function is called. */
  follow(): () => void {
    const read = () => this.#read()
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }

  /** Goes to a place; what is left out is as at the start. `replace`: going back skips where the window was. */
  go(place: Partial<Place>, replace = false): void {
    const hash = fragment({ view: 'events', feed: null, section: '', query: new URLSearchParams(), ...place })
    if (hash === location.hash) return
    if (replace) history.replaceState(null, '', hash)
    else history.pushState(null, '', hash)
    this.#read()
  }

  /** Changes the query of this place. */
  set(query: URLSearchParams, replace = true): void {
    this.go({ view: this.view, feed: this.feed, section: this.section, query }, replace)
  }

  #read(): void {
    const place = parse(location.hash)
    this.view = place.view
    this.feed = place.feed
    this.section = place.section
    this.query = place.query
    localStorage.setItem(STORED, location.hash)
  }
}

/** The address's fragment for a place. */
export function fragment({ view, feed, section, query }: Place): string {
  const asked = new URLSearchParams(query)
  asked.delete('feed')
  const id = encodeURIComponent(feed ?? '')
  if (view === 'events' && feed !== null) asked.set('feed', feed)
  const path = { events: '/events', feed: `/feeds/${id}`, rules: `/feeds/${id}/rules`, settings: `/settings${section && `/${section}`}` }
  const text = asked.toString()
  return `#${path[view]}${text && `?${text}`}`
}

/** The place that a fragment names; all events if it names none. */
export function parse(hash: string): Place {
  const [path = '', text = ''] = hash.replace(/^#/, '').split(/\?(.*)/s)
  const query = new URLSearchParams(text)
  const [, room, name = '', tab] = path.split('/')
  const place = { feed: null, section: '', query }
  if (room === 'settings') return { ...place, view: 'settings', section: name }
  if (room === 'feeds' && name !== '') return { ...place, view: tab === 'rules' ? 'rules' : 'feed', feed: decode(name) }
  const feed = query.get('feed')
  query.delete('feed')
  return { ...place, view: 'events', feed }
}
