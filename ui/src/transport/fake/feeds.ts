import type { CredentialEdit } from '../../generated/CredentialEdit'
import type { Credential } from '../../generated/Credential'
import type { Feed } from '../../generated/Feed'
import type { FeedActivity } from '../../generated/FeedActivity'
import type { FeedDraft } from '../../generated/FeedDraft'
import type { FeedEdit } from '../../generated/FeedEdit'
import type { FeedOrder } from '../../generated/FeedOrder'
import type { FeedSettings } from '../../generated/FeedSettings'
import type { Probe } from '../../generated/Probe'
import type { ProbeWish } from '../../generated/ProbeWish'
import { Failure } from '../transport'
import { connection, makeFeed, type Fake } from './fake'

/** What the made-up program answers about feeds. */
export function feeds(fake: Fake): void {
  const settings = new Map<string, FeedSettings>()
  const removed = new Map<string, { feed: Feed; at: number }>()
  const settingsOf = (id: string) => settings.get(fake.feed(id).id) ?? { ...usual }

  fake.on<FeedDraft>('POST', '/feeds', ({ body }) => {
    const feed = add(fake, body)
    settings.set(feed.id, { ...usual, ...settingsIn(body.settings ?? {}) })
    return feed
  })
  fake.on<FeedEdit>('PATCH', '/feeds/:id', ({ path: { id = '' }, body }) => {
    settings.set(id, { ...settingsOf(id), ...settingsIn(body) })
    return fake.change(id, inFeed(body))
  })
  fake.on('GET', '/feeds', () => fake.status.feeds)
  fake.on('GET', '/feeds/:id/settings', ({ path: { id = '' } }) => settingsOf(id))
  fake.on('GET', '/feeds/:id/activity', ({ path: { id = '' } }) => activity(fake, id))
  fake.on('POST', '/feeds/:id/test', ({ path: { id = '' } }) => void fake.feed(id))
  fake.on<FeedOrder>('PUT', '/feeds/order', ({ body }) => {
    const place = (feed: Feed) => (body.feeds.includes(feed.id) ? body.feeds.indexOf(feed.id) : body.feeds.length)
    fake.set({ feeds: [...fake.status.feeds].sort((one, other) => place(one) - place(other)) })
  })
  fake.on('DELETE', '/feeds/:id', ({ path: { id = '' } }) => {
    removed.set(id, { feed: fake.feed(id), at: fake.status.feeds.findIndex((feed) => feed.id === id) })
    fake.set({ feeds: fake.status.feeds.filter((feed) => feed.id !== id) })
  })
  fake.on('POST', '/feeds/:id/restore', ({ path: { id = '' } }) => {
    const known = removed.get(id)
    if (!known) throw new Failure('nothing_to_restore', id, id)
    removed.delete(id)
    fake.set({ feeds: fake.status.feeds.toSpliced(known.at, 0, known.feed) })
    return known.feed
  })
  fake.on<CredentialEdit>('PUT', '/feeds/:id/credential', ({ path: { id = '' }, body }) => {
    const others = fake.feed(id).credentials.filter(({ kind, name }) => kind !== body.kind || name !== (body.name ?? ''))
    return fake.change(id, { credentials: [...others, ...credentials([body])] })
  })
  fake.on<ProbeWish>('POST', '/probe', ({ body }) => probe(body))
}

const usual: FeedSettings = {
  preset: null,
  images: false,
  silence_alert: null,
  proxy: 'system',
  ca_file: null,
  client_certificate: null,
  verify_certificate: true,
  plain_http: false,
  resume: 'header',
}

/** What of an edit a feed's settings have. */
function settingsIn({ preset, images, silence_alert, proxy, ca_file, verify_certificate, plain_http }: FeedEdit): Partial<FeedSettings> {
  const given = {
    preset: preset === '' ? null : preset,
    images,
    silence_alert: silence_alert === '' ? null : silence_alert,
    proxy,
    ca_file: ca_file === '' ? null : ca_file,
    verify_certificate,
    plain_http,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** What of an edit a feed itself has. */
function inFeed({ name, url, group, idle_timeout_seconds, repeats, muted, verify_certificate }: FeedEdit): Partial<Feed> {
  const given = { name, url, group: group === '' ? null : group, idle_timeout_seconds, repeats, muted, verify_certificate }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function credentials(edits: CredentialEdit[]): Credential[] {
  return edits.flatMap(({ kind, name = '', secret }) => {
    if (!secret) return []
    const [source = '', value = ''] = Object.entries(secret)[0] ?? []
    if (source === 'keyring' && value === 'no keyring') throw new Failure('no_keyring', 'no keyring', 'no Secret Service')
    const detail = source === 'env' ? String(value) : source === 'command' ? String((value as string[])[0]) : source === 'file' ? '~/.config/bellwether/secrets/feed' : ''
    return [{ kind, name, source, detail }]
  })
}

function add(fake: Fake, { url, id, name, paused = false, credentials: edits = [], settings = {} }: FeedDraft): Feed {
  if (!URL.canParse(url)) throw new Failure('invalid_url', 'not a URL', url)
  const { protocol, host } = new URL(url)
  if (!/^https?:$/.test(protocol)) throw new Failure('unsupported_scheme', 'neither http nor https', url)
  if (fake.status.feeds.some((feed) => feed.url === url)) throw new Failure('duplicate_url', 'there already', url)
  const own = id ?? (name ?? host).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  if (fake.status.feeds.some((feed) => feed.id === own)) throw new Failure('duplicate_id', 'there already', own)
  const state = connection(paused ? 'paused' : 'connecting')
  const feed = makeFeed({ id: own, name: name ?? host, url, paused, connection: state, credentials: credentials(edits), ...inFeed(settings) })
  fake.set({ feeds: [...fake.status.feeds, feed] })
  return feed
}

/** Events of the last day as the log has them, and nothing of connections. */
function activity(fake: Fake, id: string): FeedActivity {
  const step_seconds = 900
  const quarter = step_seconds * 1000
  const from = (Math.floor(Date.now() / quarter) - 95) * quarter
  const events = Array.from({ length: 96 }, () => 0)
  for (const event of fake.events) {
    const at = Math.floor((Date.parse(event.received_at) - from) / quarter)
    if (event.feed === fake.feed(id).id && event.outcome !== 'ignored' && at in events) events[at] = (events[at] ?? 0) + 1
  }
  return { from: new Date(from).toISOString(), step_seconds, events, connections: [] }
}

/** Nothing found, for tests to fill in. */
export function makeProbe(probe: Partial<Probe> = {}): Probe {
  return {
    usable: !probe.fault,
    fault: null,
    status: 200,
    content_type: 'text/event-stream',
    redirects: [],
    listened_seconds: 2.4,
    keep_alive_seconds: null,
    retry_seconds: null,
    last_event_ids: false,
    events: [],
    ended: false,
    preset: null,
    ...probe,
  }
}

/** What stands at an address depends on what is in it: `private`, `refused`, `page`, `quiet`; elsewhere there are events. */
function probe({ url, credentials = [], plain_http = false }: ProbeWish): Probe {
  const fault = (code: string, detail: string, status: number | null = null) => makeProbe({ fault: { code, detail }, status, content_type: null })
  if (!URL.canParse(url)) return fault('not_a_url', url)
  const { protocol, host } = new URL(url)
  if (!/^https?:$/.test(protocol)) return fault('scheme', protocol)
  if (url.includes('refused')) return fault('refused', host)
  if (url.includes('page')) return fault('html', 'text/html', 200)
  if (url.includes('selfsigned')) return fault('tls_untrusted', host)
  if (url.includes('private') && credentials.length === 0) return fault('unauthorized', '401', 401)
  if (protocol === 'http:' && credentials.length > 0 && !plain_http) return fault('plain_http', host)
  if (url.includes('quiet')) return makeProbe({ keep_alive_seconds: 15, listened_seconds: 10 })
  const why = { code: 'preset_url', params: { name: 'ntfy' }, message: 'the address is that of ntfy' }
  const preset = url.includes('ntfy') ? { id: 'ntfy', name: 'ntfy', chosen: 'url' as const, why } : null
  const data = '{"id":"9hXk2LbQ","title":"Disk almost full on db-2","message":"/var/lib/postgresql is at 94 % (11.2 GiB left)."}'
  const events = [
    ...(preset ? [{ event: 'open', count: 1, data: '{"event":"open"}', data_truncated: false, id: '' }] : []),
    { event: 'message', count: 3, data, data_truncated: false, id: '9hXk2LbQ' },
  ]
  return makeProbe({ events, preset, last_event_ids: true })
}
