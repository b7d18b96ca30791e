import type { Event } from '../generated/Event'
import type { Locale } from '../i18n/messages.svelte'
import { connection, Fake, makeEvent, makeFeed } from './fake/fake'
import { feedScenes } from './showcase-feeds'

// A made-up program with mail, alerts and builds, for looking at the window: `?scene=…&locale=…` choose what is seen.

const query = new URLSearchParams(location.search)
const scene = query.get('scene') ?? 'log'
const locale = (query.get('locale') ?? 'en') as Locale

const start = Date.now()
const ago = (minutes: number) => new Date(start - minutes * 60_000).toISOString()
const ahead = (seconds: number) => new Date(start + seconds * 1000).toISOString()

const feeds = [
  makeFeed({
    id: 'mail',
    name: 'Mail',
    url: 'https://mail.example.org/v1/events/stream?mailbox=inbox',
    rules: 2,
    connection: connection('connected', { connected_at: ago(192), last_activity_at: ago(0), rhythm_seconds: 45 }),
    counts: { events: 1284, unread: 2, repeats: 3, ignored: 18, oversized: 0 },
    last_event_at: ago(2),
  }),
  makeFeed({
    id: 'ops',
    name: 'Ops alerts',
    url: 'https://ntfy.example.org/ops-alerts/sse',
    rules: 3,
    connection: connection('connected', { connected_at: ago(4310) }),
    counts: { events: 340, unread: 1, repeats: 0, ignored: 0, oversized: 0 },
    last_event_at: ago(9),
  }),
  makeFeed({
    id: 'ci',
    name: 'CI builds',
    url: 'https://ci.example.org/api/stream',
    connection: connection('waiting', {
      reason: { code: 'refused', detail: 'ci.example.org:443' },
      attempt: 2,
      next_attempt_at: ahead(12),
    }),
    counts: { events: 96, unread: 0, repeats: 12, ignored: 0, oversized: 0 },
    last_event_at: ago(48),
  }),
  makeFeed({
    id: 'ketang',
    name: '课程通知',
    url: 'https://ketang.example.cn/notice/sse',
    connection: connection('waiting', { reason: { code: 'ended', detail: '' }, next_attempt_at: ahead(3) }),
    counts: { events: 57, unread: 1, repeats: 0, ignored: 5, oversized: 0 },
    last_event_at: ago(26),
  }),
  makeFeed({
    id: 'shop',
    name: 'Shop orders',
    url: 'https://shop.example.com/admin/orders/live',
    connection: connection('needs_attention', {
      reason: { code: 'sign_in_refused', detail: '401' },
      attempt: 4,
      next_attempt_at: ahead(260),
    }),
    last_event_at: ago(1900),
  }),
  makeFeed({ id: 'home', name: 'Home sensors', url: 'http://192.168.1.20:8123/api/stream', paused: true, connection: connection('paused') }),
]

let seq = 1731
const event = (minutes: number, rest: Partial<Event>) => makeEvent({ seq: seq--, received_at: ago(minutes), read: true, ...rest })
const byRule = (rule: number) => ({ code: 'rule', rule, detail: '' })

const disk = `{"id":"9hXk2LbQ","time":1763646000,"event":"message","topic":"ops-alerts","priority":5,"title":"Disk almost full on db-2","message":"/var/lib/postgresql is at 94 % (11.2 GiB left). At the present rate it is full in about 3 hours.","tags":["warning","db-2"],"click":"https://grafana.example.org/d/disk?var-host=db-2","size":12884901888123456789}`

const events = [
  event(0.4, {
    feed: 'mail',
    event: 'mail',
    read: false,
    title: 'Ingrid Halvorsen',
    body: 'Re: Contract for the spring workshop. Thank you, both dates suit us. I have signed the first page and will send the rest',
    data: '{"from":"Ingrid Halvorsen <ingrid@example.no>","subject":"Re: Contract for the spring workshop","preview":"Thank you, both dates suit us."}',
    id: 'UID-90412',
    reason: byRule(1),
  }),
  event(9, {
    feed: 'ops',
    read: false,
    urgency: 'critical',
    title: 'Disk almost full on db-2',
    body: '/var/lib/postgresql is at 94 % (11.2 GiB left). At the present rate it is full in about 3 hours.',
    data: disk,
    id: '9hXk2LbQ',
    url: 'https://grafana.example.org/d/disk?var-host=db-2',
    reason: byRule(1),
  }),
  event(26, {
    feed: 'ketang',
    read: false,
    event: 'notice',
    title: '明天的高等数学课调到 302 教室',
    body: '原定周三上午 10:00 的课程因设备检修改到 302 教室，请提前十分钟到场并带好作业。',
    data: '{"title":"明天的高等数学课调到 302 教室","content":"原定周三上午 10:00 的课程因设备检修改到 302 教室，请提前十分钟到场并带好作业。"}',
    id: '20871',
  }),
  event(31, {
    feed: 'mail',
    event: 'mail',
    read: false,
    title: 'Priya Raman',
    body: 'Lunch on Thursday? There is a new place by the canal that does dosas.',
    data: '{"from":"Priya Raman","subject":"Lunch on Thursday?"}',
    reason: byRule(1),
  }),
  event(48, { feed: 'ci', event: 'build', title: 'main is green again', body: 'Build 4182 passed in 6 min 12 s. 1,204 tests.', data: '{"build":4182,"state":"passed"}' }),
  event(63, {
    feed: 'ci',
    event: 'build',
    urgency: 'critical',
    title: 'main is broken',
    body: 'Build 4181 failed: test_reconnect_after_sleep (2 of 1,204).',
    data: '{"build":4181,"state":"failed"}',
  }),
  event(95, { feed: 'mail', event: 'newsletter', outcome: 'logged', title: 'Weekly digest', body: 'Twelve things we read this week', data: '{"list":"digest"}', reason: byRule(2) }),
  event(130, { feed: 'ops', outcome: 'summarized', title: 'Backup finished', body: 'db-1, db-2, files: 214 GiB in 42 min', data: 'Backup finished', reason: { code: 'backlog', rule: null, detail: '' } }),
  event(133, {
    feed: 'ops',
    title: 'Certificate of git.example.org renewed',
    body: 'Valid until 18 February.',
    data: 'Certificate renewed',
    reason: { code: 'rule_failed', rule: 2, detail: 'undefined value: data.days is not a number (in "when", column 6)' },
  }),
  ...Array.from({ length: 400 }, (_, at) =>
    event(600 + at * 47, {
      feed: ['mail', 'ops', 'ci', 'ketang'][at % 4] ?? 'mail',
      outcome: at % 9 === 4 ? 'logged' : 'shown',
      reason: at % 9 === 4 ? { code: 'no_match', rule: null, detail: '' } : byRule(1),
      title: ['Tomasz Zieliński', 'Load on web-3 back to normal', 'release/2.4 passed', '实验报告提交截止提醒'][at % 4] ?? '',
      body:
        [
          'Minutes of the meeting. I have put them into the shared folder, please look over item 4.',
          'Load average 1.2 after 14 minutes over 8.',
          'Build passed in 5 min 48 s.',
          '请于本周五 23:59 前在教学平台提交第三次实验报告。',
        ][at % 4] ?? '',
      data: `{"number":${at}}`,
    }),
  ),
]

export const transport = new Fake({ language: locale, locale })
transport.status.feeds = scene.startsWith('start') ? [] : feeds
transport.events = scene.startsWith('start') || scene === 'empty' ? [] : events
if (scene === 'broken') {
  transport.status.config.error = {
    line: 14,
    key: 'feed[2].ulr',
    column: 0,
    code: 'misspelt_key',
    params: { name: 'url' },
    message: 'unknown key; did you mean url?',
  }
  transport.status.parts = [
    { name: 'notifications', available: false, detail: 'org.freedesktop.Notifications has no owner; install a notification daemon such as dunst.' },
    { name: 'tray', available: false, detail: 'org.kde.StatusNotifierWatcher has no owner.' },
    { name: 'display', available: true, detail: ':0' },
  ]
}
if (scene === 'calm') {
  transport.set({ attention: { snoozed_until: ahead(2400), quiet_until: null, held: 3 } })
  transport.change('mail', { snoozed_until: ahead(70_000), held: 2 })
  transport.change('ops', { muted: true })
  const held = event(0, {
    feed: 'mail',
    event: 'mail',
    outcome: 'held',
    read: false,
    urgency: 'critical',
    title: 'Quarterly figures',
    body: 'Please look at page 4 before tomorrow’s meeting.',
    url: 'https://mail.example.org/m/90413',
    key: 'thread-881',
    group: 'inbox',
    sound: 'message-new-email',
    expire_seconds: 90,
    buttons: [{ label: 'Archive', url: 'https://mail.example.org/m/90413/archive' }],
    reason: { code: 'snoozed', rule: 1, detail: ahead(70_000) },
  })
  transport.events = [{ ...held, seq: 1732 }, ...events.map((event, at) => (at > 4 && at < 9 ? { ...event, summary: 900 } : event))]
}
if (scene === 'quiet') {
  transport.set({ attention: { snoozed_until: null, quiet_until: ahead(30_000), held: 1 } })
}
if (scene === 'parts' || scene === 'start-parts') {
  transport.status.parts = [{ name: 'notifications', available: false, detail: 'org.freedesktop.Notifications has no owner; install a notification daemon such as dunst.' }]
}
feedScenes(transport, scene)
if (scene === 'offline') transport.stop()

// For scripts that drive the page.
Object.assign(globalThis, { fake: transport, makeEvent })
