import type { Feed } from '../generated/Feed'

/** The addresses in a text that was pasted, one a line; empty unless all its lines are some. */
export function addresses(text: string): string[] {
  const lines = text.split(/\s*\n\s*/).map((line) => line.trim()).filter((line) => line !== '')
  return lines.every((line) => /^https?:\/\/\S+$/i.test(line)) ? [...new Set(lines)] : []
}

/** Whether a text could be an address by now: so much that asking for it is worth it. */
export function worthAsking(text: string): boolean {
  if (!/^https?:\/\/[^/?#\s]+\S*$/i.test(text) || /[<>]/.test(text)) return false
  if (!URL.canParse(text)) return false
  const { hostname } = new URL(text)
  return hostname === 'localhost' || hostname.startsWith('[') || /[^.]\.[^.]/.test(hostname)
}

/** The feed that has this address already. */
export function feedAt(feeds: Feed[], url: string): Feed | undefined {
  const wanted = normal(url)
  return feeds.find((feed) => normal(feed.url) === wanted)
}

function normal(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url
}

/** The machine in an address; empty if there is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}

/** What a feed at this address may be called, until a person calls it something else. */
export function suggestedName(url: string, preset: string | undefined): string {
  if (!URL.canParse(url)) return ''
  const { hostname, pathname } = new URL(url)
  const dull = new Set(['sse', 'events', 'event', 'stream', 'streaming', 'subscribe', 'sub', 'api', 'live', 'notifications', 'json', 'well-known', 'mercure', 'rest', 'latest'])
  const words = pathname.split('/').filter((word) => word !== '' && !dull.has(word.toLowerCase().replace(/^\./, '')) && !/^v\d+$/i.test(word))
  const word = decode(words.at(-1) ?? '').replace(/\.\w{1,5}$/, '')
  const host = hostname.replace(/^www\./, '')
  if (word.length < 2 || word.length > 40) return preset && !host.includes(preset.toLowerCase()) ? `${preset} (${host})` : host
  return preset && preset !== word ? `${word} (${preset})` : word
}

/** A part of an address without its escapes; as it is if they are none. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
