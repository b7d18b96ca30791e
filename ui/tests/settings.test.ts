import { fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import { makeEvent, type Fake } from '../src/transport/fake/fake'
import licences from '../src/views/settings/licences.json'
import { Failure } from '../src/transport/transport'
import { openWindow, rail, twoFeeds } from './window'

const sent = (fake: Fake, line = 'PATCH /settings') => fake.requests.filter((request) => request.line === line).map(({ body }) => body)

/** The window at a section of the settings. */
async function openSettings(section: string, fake = twoFeeds()) {
  location.hash = `#/settings/${section}`
  const opened = await openWindow(fake)
  await waitFor(() => expect(document.querySelector('[data-heading]')).not.toBeNull())
  return opened
}

/** The made-up program refuses the next change of a setting. */
function refuseOnce(fake: Fake, failure: Failure) {
  let refused = false
  const request = fake.request.bind(fake)
  vi.spyOn(fake, 'request').mockImplementation(async (method, path, body) => {
    if (method === 'PATCH' && !refused) {
      refused = true
      fake.requests.push({ line: `${method} ${path}`, body })
      throw failure
    }
    return request(method, path, body)
  })
}

describe('the sections', () => {
  test('are places of their own, gone to from the rail', async () => {
    const { person } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Settings'))
    expect(await screen.findByRole('heading', { name: 'Notifications' })).toBeVisible()
    const sections = within(screen.getByRole('navigation', { name: 'Sections of the settings' }))
    await person.click(sections.getByRole('link', { name: 'Event log' }))
    expect(await screen.findByRole('heading', { name: 'Event log' })).toBeVisible()
    expect(location.hash).toBe('#/settings/log')
    expect(sections.getByRole('link', { name: 'Event log' })).toHaveAttribute('aria-current', 'page')
    expect(document.title).toBe('(1) Settings · Bellwether')
  })

  test('say when settings cannot be fetched, and fetch them when asked', async () => {
    const fake = twoFeeds()
    fake.on('GET', '/settings', () => {
      throw new Failure('internal', 'out of order')
    })
    const { person } = await openSettings('notifications', fake)
    expect(await screen.findByText(/out of order/)).toBeVisible()
    fake.on('GET', '/settings', () => fake.settings)
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('switch', { name: 'Sound' })).toBeChecked()
  })
})

describe('notifications', () => {
  test('sound is switched at once, and says what comes of it', async () => {
    const { person, fake } = await openSettings('notifications')
    const sound = await screen.findByRole('switch', { name: 'Sound' })
    expect(sound).toHaveAccessibleDescription(/^Popups make the sound/)
    await person.click(sound)
    expect(sound).toHaveAccessibleDescription(/^Popups are silent/)
    expect(await screen.findByText('Saved')).toBeVisible()
    expect(sent(fake)).toEqual([{ sound: false }])
    expect(fake.settings.sound).toBe(false)
  })

  test('limits are set within a sentence, by typing and by steps', async () => {
    const { person, fake } = await openSettings('notifications')
    const popups = await screen.findByRole('spinbutton', { name: 'Popups of one feed' })
    await person.clear(popups)
    await person.type(popups, '0')
    expect(screen.getByText('A whole number from 1 to 1,000.')).toBeVisible()
    expect(popups).toBeInvalid()
    expect(sent(fake)).toEqual([])
    await person.clear(popups)
    await person.type(popups, '5{Enter}')
    await person.click(popups)
    await person.keyboard('{ArrowUp}')
    await waitFor(() => expect(fake.settings.flood).toEqual({ popups: 6, seconds: 10, overall: 10 }))
    expect(popups).toHaveValue('6')
  })

  test('an alert of outages is off, or after some minutes', async () => {
    const { person, fake } = await openSettings('notifications')
    const outage = await screen.findByRole('switch', { name: 'Tell of outages' })
    await person.click(outage)
    await waitFor(() => expect(fake.settings.outage_alert_seconds).toBe(0))
    expect(screen.queryByRole('spinbutton', { name: 'Minutes' })).toBeNull()
    await person.click(outage)
    const minutes = await screen.findByRole('spinbutton', { name: 'Minutes' })
    await person.clear(minutes)
    await person.type(minutes, '25{Enter}')
    await waitFor(() => expect(fake.settings.outage_alert_seconds).toBe(1500))
  })

  test('a snooze begins until a time, and ends', async () => {
    const { person, fake } = await openSettings('notifications')
    await fireEvent.input(await screen.findByLabelText('Until'), { target: { value: '18:30' } })
    await person.click(screen.getByRole('button', { name: 'Snooze' }))
    expect(await screen.findAllByText(/^Snoozed until/)).toHaveLength(2)
    await person.click(screen.getByRole('button', { name: 'End snooze' }))
    expect(await screen.findByText('Popups are shown.')).toBeVisible()
    expect(sent(fake, 'PUT /snooze')).toEqual([{ until: '18:30' }, { until: null }])
  })

  test('a test popup is shown, or why it cannot be', async () => {
    const fake = twoFeeds()
    const { person } = await openSettings('notifications', fake)
    const show = await screen.findByRole('button', { name: 'Show a test popup' })
    await person.click(show)
    expect(await screen.findByText('Shown')).toBeVisible()
    fake.set({ parts: [{ name: 'notifications', available: false, detail: 'install dunst' }] })
    await person.click(show)
    expect(await screen.findByText('No notification service is running.')).toBeVisible()
    expect(screen.getAllByText('install dunst').length).toBeGreaterThan(1)
  })
})

describe('general', () => {
  test('the language is chosen here, and holds at once', async () => {
    const { person, fake } = await openSettings('general')
    await person.selectOptions(await screen.findByLabelText('Language'), 'zh-CN')
    expect(await screen.findByRole('heading', { name: '设置' })).toBeVisible()
    expect(document.documentElement).toHaveAttribute('lang', 'zh-CN')
    expect(sent(fake)).toEqual([{ language: 'zh-CN' }])
  })

  test('the theme is the program’s; the webview remembers it for the next start', async () => {
    const { person, fake } = await openSettings('general')
    await person.click(await screen.findByLabelText('Dark'))
    expect(document.documentElement).toHaveAttribute('data-theme', 'dark')
    expect(localStorage.getItem('theme')).toBe('dark')
    await waitFor(() => expect(fake.status.theme).toBe('dark'))
    // Changed by another window, or by hand in the file.
    fake.set({ theme: 'light' })
    await waitFor(() => expect(document.documentElement).toHaveAttribute('data-theme', 'light'))
    expect(screen.getByLabelText('Light')).toBeChecked()
  })

  test('start at login says where it is kept', async () => {
    const { person, fake } = await openSettings('general')
    const autostart = await screen.findByRole('switch', { name: 'Start at login' })
    expect(screen.getByText(fake.settings.autostart.place)).toBeVisible()
    await person.click(autostart)
    await waitFor(() => expect(fake.settings.autostart.enabled).toBe(true))
    expect(sent(fake)).toEqual([{ autostart: true }])
  })
})

describe('a change that fails', () => {
  test('is told at its control, keeps what was wished for, and can be tried again', async () => {
    const fake = twoFeeds()
    refuseOnce(fake, new Failure('cannot_write', '', 'no space left'))
    const { person } = await openSettings('notifications', fake)
    const popups = await screen.findByRole('spinbutton', { name: 'Popups of one feed' })
    await person.clear(popups)
    await person.type(popups, '7{Enter}')
    expect(await screen.findByText('The file could not be written: no space left')).toBeVisible()
    expect(popups).toHaveValue('7')
    expect(fake.settings.flood.popups).toBe(3)
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    await waitFor(() => expect(fake.settings.flood.popups).toBe(7))
    await waitFor(() => expect(screen.queryByText(/could not be written/)).toBeNull())
  })

  test('can be left as it was', async () => {
    const fake = twoFeeds()
    refuseOnce(fake, new Failure('broken_config'))
    const { person } = await openSettings('notifications', fake)
    const sound = await screen.findByRole('switch', { name: 'Sound' })
    await person.click(sound)
    await person.click(await screen.findByRole('button', { name: 'Leave as it was' }))
    await waitFor(() => expect(sound).toBeChecked())
    expect(screen.queryByText(/^feeds.toml has a mistake/)).toBeNull()
  })

  test('because the program is away is made when it is back', async () => {
    const fake = twoFeeds()
    const { person } = await openSettings('notifications', fake)
    const sound = await screen.findByRole('switch', { name: 'Sound' })
    fake.stop()
    expect(await screen.findByText(/^Bellwether does not answer/)).toBeVisible()
    await person.click(sound)
    expect(await screen.findByText('Bellwether is not running, or does not answer.')).toBeVisible()
    expect(sound).not.toBeChecked()
    fake.run()
    expect(await screen.findByText('Bellwether answers again.')).toBeVisible()
    await waitFor(() => expect(fake.settings.sound).toBe(false))
    expect(sound).not.toBeChecked()
  })

  test('does not undo a newer one', async () => {
    const fake = twoFeeds()
    const answers: (() => void)[] = []
    const request = fake.request.bind(fake)
    vi.spyOn(fake, 'request').mockImplementation(async (method, path, body) => {
      if (method === 'PATCH') await new Promise<void>((resolve) => answers.push(resolve))
      return request(method, path, body)
    })
    const { person } = await openSettings('notifications', fake)
    const sound = await screen.findByRole('switch', { name: 'Sound' })
    await person.click(sound)
    await person.click(sound)
    await person.click(sound)
    // What is under way is waited for; of what follows only the last is sent.
    expect(answers).toHaveLength(1)
    answers[0]?.()
    await waitFor(() => expect(answers).toHaveLength(2))
    answers[1]?.()
    await screen.findByText('Saved')
    expect(sent(fake)).toEqual([{ sound: false }, { sound: false }])
    expect(sound).not.toBeChecked()
  })
})

describe('the log', () => {
  test('says how large it is', async () => {
    await openSettings('log')
    expect(await screen.findByText('48,213')).toBeVisible()
    expect(screen.getByText('61.7 MB')).toBeVisible()
    expect(screen.getByText('March 2, 2025')).toBeVisible()
  })

  test('is not reduced before the person was told how much goes', async () => {
    const fake = twoFeeds()
    fake.on('GET', '/events/index', () => ({ count: 1234, step: 10_000, marks: [], days: [] }))
    const { person } = await openSettings('log', fake)
    const age = within(await screen.findByRole('radiogroup', { name: 'By age' }))
    await person.click(age.getByLabelText('So many days'))
    expect(await screen.findByText('1,234 events are beyond this limit and will be deleted.')).toBeVisible()
    await person.click(screen.getByText('Cancel'))
    expect(sent(fake)).toEqual([])
    expect(age.getByLabelText('For ever')).toBeChecked()
    await person.click(age.getByLabelText('So many days'))
    await person.click(await screen.findByRole('button', { name: 'Delete them' }))
    await waitFor(() => expect(fake.settings.retention).toEqual({ days: 365, events: null }))
    // To keep more asks nothing.
    await person.click(age.getByLabelText('For ever'))
    await waitFor(() => expect(fake.settings.retention).toEqual({ days: null, events: null }))
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  test('asks for events of every outcome, as all of them go', async () => {
    const fake = twoFeeds()
    fake.events = [makeEvent({ seq: 1, outcome: 'ignored', received_at: '2025-03-02T08:14:00.000Z' })]
    const { person } = await openSettings('log', fake)
    await person.click(within(await screen.findByRole('radiogroup', { name: 'By age' })).getByLabelText('So many days'))
    expect(await screen.findByText('1 event is beyond this limit and will be deleted.')).toBeVisible()
  })

  test('says one day and one minute as such', async () => {
    const fake = twoFeeds()
    Object.assign(fake.settings, { outage_alert_seconds: 60, flood: { popups: 3, seconds: 1, overall: 10 }, retention: { days: 1, events: null } })
    await openSettings('notifications', fake)
    expect((await screen.findByRole('spinbutton', { name: 'Minutes' })).closest('p')).toHaveTextContent(/minute without/)
    expect(screen.getByRole('spinbutton', { name: 'Seconds' }).closest('p')).toHaveTextContent(/second,/)
    location.hash = '#/settings/log'
    expect((await screen.findByRole('spinbutton', { name: 'Days' })).closest('p')).toHaveTextContent(/day$/)
  })

  test('asks nothing where nothing goes', async () => {
    const { person, fake } = await openSettings('log')
    await person.click(within(await screen.findByRole('radiogroup', { name: 'By number' })).getByLabelText('So many events'))
    await waitFor(() => expect(fake.settings.retention).toEqual({ days: null, events: 100_000 }))
  })
})

describe('a backup', () => {
  test('is written to a file, whose folder can be shown', async () => {
    const { person, fake } = await openSettings('backup')
    await person.click(await screen.findByRole('switch', { name: 'With the events of the log' }))
    await person.click(screen.getByRole('button', { name: 'Export' }))
    expect(await screen.findByText('/home/lin/Downloads/bellwether-2026-11-21-1204.jsonl')).toBeVisible()
    expect(sent(fake, 'POST /export')).toEqual([{ events: true }])
    await person.click(screen.getByRole('button', { name: 'Show in folder' }))
    await waitFor(() => expect(sent(fake, 'POST /exports/open')).toHaveLength(1))
  })

  test('is imported after it was said what will happen, and feeds without their secret are named', async () => {
    const { person, fake } = await openSettings('backup')
    const file = new File(['{"bellwether":1}\n{"seq":1}\n'], 'bellwether.jsonl')
    await person.upload(await screen.findByLabelText('Choose a file…'), file)
    expect(await screen.findByText(/^Feeds, rules and settings become those of the file/)).toBeVisible()
    expect(sent(fake, 'POST /import')).toEqual([])
    await person.click(within(screen.getByRole('group', { name: 'Import' })).getByRole('button', { name: 'Import' }))
    expect(await screen.findByText(/^Imported: there are 2 feeds now/)).toBeVisible()
    expect(sent(fake, 'POST /import')).toEqual(['{"bellwether":1}\n{"seq":1}\n'])
    expect(screen.getByRole('link', { name: 'Ops alerts' })).toHaveAttribute('href', '#/feeds/ops')
  })

  test('that is none is refused', async () => {
    const { person } = await openSettings('backup')
    await person.upload(await screen.findByLabelText('Choose a file…'), new File(['no export'], 'x.json'))
    await person.click(within(await screen.findByRole('group', { name: 'Import' })).getByRole('button', { name: 'Import' }))
    expect(await screen.findByText(/^This file is not an export of Bellwether/)).toBeVisible()
    // It is still chosen, and can be let go of.
    await person.click(screen.getByText('Cancel'))
    expect(screen.queryByRole('group', { name: 'Import' })).toBeNull()
  })
})

describe('the rest', () => {
  test('feeds.toml is opened and its path copied; its mistake stands there', async () => {
    const fake = twoFeeds()
    const { person } = await openSettings('feeds-toml', fake)
    await person.click(await screen.findByRole('button', { name: 'Open in editor' }))
    await waitFor(() => expect(sent(fake, 'POST /config/open')).toHaveLength(1))
    await person.click(screen.getByRole('button', { name: 'Copy path' }))
    expect(await navigator.clipboard.readText()).toBe(fake.status.config.path)
    const error = { line: 14, key: 'feed[2].ulr', column: 0, code: 'misspelt_key', params: { name: 'url' }, message: '' }
    fake.set({ config: { ...fake.status.config, error } })
    expect(await screen.findAllByText('feed[2].ulr')).toHaveLength(2)
  })

  test('diagnostics are listed with marks, and copied as a report', async () => {
    const fake = twoFeeds()
    fake.status.parts = [{ name: 'tray', available: false, detail: 'no host' }]
    const { person } = await openSettings('diagnostics', fake)
    expect(await screen.findByText('1 thing wants a look.')).toBeVisible()
    expect(screen.getByRole('heading', { name: 'tray (not as it should be)' })).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Copy report' }))
    expect(await navigator.clipboard.readText()).toContain('[!!] tray: no host')
    fake.status.parts = []
    await person.click(screen.getByRole('button', { name: 'Look again' }))
    expect(await screen.findByText('Everything is as it should be.')).toBeVisible()
  })

  test('licences are there when asked for', async () => {
    const { person } = await openSettings('about')
    expect(screen.queryByRole('searchbox')).toBeNull()
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(licences))))
    const details = screen.getByText('Show the packages').closest('details') as HTMLDetailsElement
    details.open = true
    await fireEvent(details, new Event('toggle'))
    await person.type(await screen.findByRole('searchbox', { name: 'Name or licence' }), 'svelte')
    expect(await screen.findByText('svelte')).toBeVisible()
  })
})
