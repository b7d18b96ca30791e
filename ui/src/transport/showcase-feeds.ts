import type { FeedActivity } from '../generated/FeedActivity'
import type { ConnectionChange } from '../generated/ConnectionChange'
import type { Fake } from './fake/fake'

const MINUTE = 60_000

/** Groups, credentials and a day of events, for looking at feeds. */
export function feedScenes(fake: Fake, scene: string): void {
  fake.on('GET', '/feeds/:id/activity', ({ path: { id = '' } }) => day(id))
  if (fake.status.feeds.length === 0) return
  const why = { code: 'preset_url', params: { name: 'ntfy' }, message: 'the address is that of ntfy' }
  fake.change('ops', { preset: { id: 'ntfy', name: 'ntfy', chosen: 'url', why } })
  fake.change('mail', {
    credentials: [
      { kind: 'bearer', name: '', source: 'keyring', detail: '' },
      { kind: 'header', name: 'X-Api-Key', source: 'env', detail: 'MAIL_KEY' },
    ],
  })
  if (scene !== 'groups') return
  for (const id of ['ops', 'ci', 'shop']) fake.change(id, { group: 'Work' })
  for (const id of ['ketang', 'home']) fake.change(id, { group: '家' })
  fake.change('ops', { muted: true })
  fake.change('ci', { verify_certificate: false })
  fake.change('mail', { snoozed_until: new Date(Date.now() + 90 * MINUTE).toISOString(), held: 2 })
}

/** Busy by day, quiet by night, with two outages. */
function day(feed: string): FeedActivity {
  const quarter = 15 * MINUTE
  const from = (Math.floor(Date.now() / quarter) - 95) * quarter
  const events = Array.from({ length: 96 }, (_, at) => {
    const hour = new Date(from + at * quarter).getHours()
    const busy = hour < 6 ? 0 : hour < 9 ? 3 : hour < 18 ? 9 : 4
    return feed === 'home' ? 0 : Math.round(busy * (0.5 + 0.5 * Math.sin(at * 1.7)) + (at % 7 === 0 ? busy / 2 : 0))
  })
  const change = (number: number, minutes: number, rest: Partial<ConnectionChange>): ConnectionChange => ({
    number,
    feed,
    at: new Date(from + minutes * MINUTE).toISOString(),
    after: 0,
    kind: 'lost',
    reason: null,
    away_seconds: null,
    ...rest,
  })
  const connections =
    feed === 'ops' || feed === 'home'
      ? []
      : [
          change(1, 400, { reason: { code: 'idle', detail: '300' } }),
          change(2, 412, { kind: 'back', away_seconds: 720 }),
          change(3, 1010, { reason: { code: 'refused', detail: 'mail.example.org:443' } }),
          change(4, 1075, { kind: 'back', away_seconds: 3900 }),
        ]
  for (const [at] of events.entries()) {
    if (connections.length > 0 && ((at >= 27 && at < 28) || (at >= 68 && at < 71))) events[at] = 0
  }
  return { from: new Date(from).toISOString(), step_seconds: 900, events, connections }
}
