import type { Doctor } from '../../generated/Doctor'
import type { Export } from '../../generated/Export'
import type { Imported } from '../../generated/Imported'
import type { Settings } from '../../generated/Settings'
import type { SettingsEdit } from '../../generated/SettingsEdit'
import { Failure } from '../transport'
import type { Fake } from './fake'

/** What the made-up program has for settings. */
const made: Settings = {
  flood: { popups: 3, seconds: 10, overall: 10 },
  sound: true,
  outage_alert_seconds: 600,
  quiet_hours: [
    { days: ['mon', 'tue', 'wed', 'thu', 'sun'], from: '22:00', to: '07:00', time_zone: null },
    { days: ['fri', 'sat'], from: '23:30', to: '10:00', time_zone: null },
  ],
  retention: { days: null, events: null },
  log: { events: 48_213, bytes: 61_734_912, oldest_at: '2025-03-02T08:14:00.000Z' },
  autostart: { enabled: false, place: '/home/lin/.config/autostart/bellwether.desktop' },
  time_zone: 'Europe/Berlin',
}

/** What the made-up program answers about settings; its settings, to be changed by whoever made it. */
export function settings(fake: Fake): Settings {
  const own = structuredClone(made)

  fake.on('GET', '/settings', () => own)
  fake.on<SettingsEdit>('PATCH', '/settings', ({ body: { language, theme, autostart, ...edit } }) => {
    Object.assign(own, edit)
    if (autostart !== undefined) own.autostart.enabled = autostart
    fake.set({
      ...(theme === undefined ? {} : { theme }),
      ...(language === undefined ? {} : { language, locale: language === 'system' ? 'en' : language }),
    })
    return fake.status
  })
  fake.on('POST', '/notifications/test', () => {
    const server = fake.status.parts.find(({ name }) => name === 'notifications')
    if (server && !server.available) throw new Failure('no_notifications')
  })
  fake.on('POST', '/config/open', () => undefined)
  fake.on<Export>('POST', '/export', ({ body }) => ({
    path: '/home/lin/Downloads/bellwether-2026-11-21.json',
    events: body?.events ? own.log.events : 0,
    bytes: body?.events ? 58_201_344 : 9_312,
  }))
  fake.on('POST', '/exports/open', () => undefined)
  fake.on<unknown>('POST', '/import', ({ body }): Imported => {
    if (body === null || typeof body !== 'object') throw new Failure('not_an_export', '', 'it is no object')
    const missing_secrets = fake.status.feeds.slice(0, 1).map(({ id }) => id)
    return { feeds: fake.status.feeds.length, events: 0, missing_secrets }
  })
  fake.on('GET', '/doctor', (): Doctor => {
    const checks = [
      { name: 'feeds.toml', fine: fake.status.config.error === null, text: fake.status.config.path },
      { name: 'Event log', fine: true, text: fake.status.event_log },
      ...fake.status.parts.map(({ name, available, detail }) => ({ name, fine: available, text: detail })),
      { name: 'Keyring', fine: true, text: 'org.freedesktop.secrets' },
      { name: 'Desktop', fine: null, text: 'X11, GNOME' },
    ]
    return { checks, report: checks.map(({ name, fine, text }) => `[${fine === null ? 'i' : fine ? 'ok' : '!!'}] ${name}: ${text}`).join('\n') }
  })
  return own
}
