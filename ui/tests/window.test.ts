import { screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import { connection, Fake, makeEvent } from '../src/transport/fake/fake'
import { openWindow, rail, titles, twoFeeds } from './window'

const dialog = () => within(screen.getByRole('dialog'))
const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))

describe('first start', () => {
  test('offers to add a feed or to try the demo, which leads to the feed', async () => {
    const { person, fake } = await openWindow(new Fake())
    await person.click(await screen.findByRole('button', { name: 'Try the demo feed' }))
    expect(await screen.findByRole('heading', { name: 'Demo' })).toBeVisible()
    expect(fake.requests.map(({ line }) => line)).toContain('POST /demo')
    expect(screen.getByText('They appear here the moment they arrive.')).toBeVisible()
  })
})

describe('feeds', () => {
  test('one is added after a mistake in its address was told', async () => {
    const { person, fake } = await openWindow(new Fake())
    await person.click(await screen.findByRole('button', { name: 'Add a feed', description: '' }))
    const url = dialog().getByLabelText('Address')
    await person.type(url, 'ftp://example.org/feed{Enter}')
    expect(await dialog().findByText('The address has to begin with http:// or https://.')).toBeVisible()
    expect(url).toBeInvalid()
    expect(url).toHaveFocus()

    await person.clear(url)
    await person.type(url, 'https://example.org/feed')
    await person.type(dialog().getByLabelText(/^Name/), 'Example')
    await person.click(dialog().getByRole('button', { name: 'Add feed' }))
    expect(await screen.findByRole('heading', { name: 'Example' })).toBeVisible()
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(fake.requests.some(({ line }) => /^GET \/events\?.*feed=example-org/.test(line))).toBe(true)

    fake.change('example-org', { connection: connection('connected', { connected_at: new Date().toISOString() }) })
    expect(await screen.findByText('Just connected')).toBeVisible()
  })

  test('an empty address asks nobody', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await screen.findByRole('heading', { name: 'All events' })
    await person.keyboard('n')
    await person.click(dialog().getByRole('button', { name: 'Add feed' }))
    expect(dialog().getByText('The address is missing.')).toBeVisible()
    expect(fake.requests.every(({ line }) => line.startsWith('GET'))).toBe(true)
  })

  test('one is edited: only what changed is sent', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    await person.click(screen.getByRole('button', { name: 'Edit' }))
    const idle = dialog().getByLabelText('Counts as dead after silence of')
    await person.clear(idle)
    await person.type(idle, '1.5{Enter}')
    expect(dialog().getByText(/A whole number of seconds/)).toBeVisible()
    await person.clear(idle)
    await person.type(idle, '604801{Enter}')
    expect(dialog().getByText(/A whole number of seconds/)).toBeVisible()
    await person.clear(idle)
    await person.type(idle, '604800')
    await person.selectOptions(dialog().getByLabelText(/sent again/), 'show')
    await person.click(dialog().getByRole('button', { name: 'Save' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    const edit = fake.requests.find(({ line }) => line === 'PATCH /feeds/ops')
    expect(edit?.body).toEqual({ idle_timeout_seconds: 604_800, repeats: 'show' })
  })

  test('one is paused and resumed', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    await person.click(screen.getByRole('button', { name: 'Pause' }))
    expect(await screen.findByText(/^Paused: not connected/)).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Resume' }))
    expect(await screen.findByRole('button', { name: 'Pause' })).toBeVisible()
    expect(fake.status.feeds[0]?.paused).toBe(false)
  })

  test('one is removed after a question, and comes back with its settings', async () => {
    const fake = twoFeeds()
    fake.change('ops', { idle_timeout_seconds: 0, repeats: 'show', rules: 2 })
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    await person.click(screen.getByRole('button', { name: 'Remove' }))
    expect(dialog().getByText(/^Its 2 rules go with it/)).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Remove feed' }))
    expect(await screen.findByText('Removed “Ops alerts”')).toBeVisible()
    expect(rail().queryByText('Ops alerts')).toBeNull()
    expect(screen.getByRole('heading', { name: 'All events' })).toBeVisible()
    // Its events stay in the log.
    await rows('Disk almost full', 'Ingrid', 'Backup finished')

    await person.click(screen.getByRole('button', { name: 'Undo' }))
    expect(await screen.findByRole('heading', { name: 'Ops alerts' })).toBeVisible()
    expect(fake.status.feeds.at(-1)).toMatchObject({ id: 'ops', idle_timeout_seconds: 0, repeats: 'show' })
  })

  test('a feed whose server need not prove itself says so in the list and above its events', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    expect(await rail().findByText('Ops alerts')).toBeVisible()
    expect(screen.queryByText('certificate not verified')).toBeNull()
    fake.change('ops', { verify_certificate: false })
    expect(await rail().findByText('certificate not verified')).toBeVisible()
    await person.click(rail().getByText('Ops alerts'))
    await waitFor(() => expect(screen.getAllByText('certificate not verified')).toHaveLength(2))
  })

  test('a rule that fails is named above its feed’s events', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    const failed = { detail: 'when: b64decode: not base64', count: 3 }
    fake.change('ops', { rule_faults: [{ rule: 1, seq: 12, ...failed }, { rule: 2, seq: 41, ...failed }] })
    expect(await screen.findByText('Rule 2 fails: when: b64decode: not base64 (event 41; times: 3)')).toBeVisible()
    expect(screen.queryByText(/^Rule 1 fails/)).toBeNull()
    fake.change('ops', { rule_faults: [] })
    await waitFor(() => expect(screen.queryByText(/^Rule 2 fails/)).toBeNull())
  })

  test('a feed that waits says why and when, and is tried at once when asked', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    const next_attempt_at = new Date(Date.now() + 16_500).toISOString()
    fake.change('ops', {
      connection: connection('waiting', { reason: { code: 'refused', detail: '10.0.0.7:80' }, attempt: 2, next_attempt_at }),
    })
    expect(await screen.findByText('10.0.0.7:80 refuses the connection. Does the server run?')).toBeVisible()
    expect(screen.getByText(/^Try 3 in 1\d seconds$/)).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Try now' }))
    expect(fake.requests.at(-1)?.line).toBe('POST /feeds/ops/reconnect')
  })

  test('a feed that is connected says how often something comes, and what is wrong with it', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    const connected_at = new Date(Date.now() - 3 * 3_600_000).toISOString()
    fake.change('ops', { connection: connection('connected', { connected_at, rhythm_seconds: 45 }) })
    expect(await screen.findByText('Connected for 3 hours')).toBeVisible()
    expect(screen.getByText('usually every 45 seconds')).toBeVisible()
    fake.change('ops', { connection: connection('connected', { connected_at, hint: 'flooding' }) })
    expect(await screen.findByText('It sends far more than its events, so it is read slowly.')).toBeVisible()
  })

  test('a feed whose server asks to use another address says which', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    expect(screen.queryByText(/another address/)).toBeNull()
    fake.change('ops', { connection: connection('connected', { moved_to: 'https://example.org/new' }) })
    expect(await screen.findByText('The server asks to use another address from now on:')).toBeVisible()
    expect(screen.getByText('https://example.org/new')).toBeVisible()
  })

  test('a feed whose provider is known says which it is and why, unless a person chose it', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    expect(screen.queryByText(/^Preset/)).toBeNull()
    const why = { code: 'preset_event', params: { event: 'open', name: 'ntfy' }, message: '' }
    const preset = { id: 'ntfy', name: 'ntfy', chosen: 'stream' as const, why }
    fake.change('ops', { preset })
    expect(await screen.findByText('Preset ntfy, because it sent an event “open” as ntfy does')).toBeVisible()
    fake.change('ops', { preset: { ...preset, chosen: 'set' } })
    await waitFor(() => expect(screen.queryByText(/^Preset/)).toBeNull())
  })

  test('a server that hangs up after each event is no trouble', async () => {
    const fake = twoFeeds()
    fake.change('ops', { connection: connection('waiting', { reason: { code: 'ended', detail: '' } }) })
    await openWindow(fake)
    expect(await screen.findByText('All 2 feeds are connected')).toBeVisible()
    expect(rail().getByText('Between events')).toBeVisible()
  })

  test('a failed action is told in a sentence', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    fake.status.feeds = fake.status.feeds.slice(1)
    await person.click(screen.getByRole('button', { name: 'Pause' }))
    expect(await screen.findByText('This feed is no longer there.')).toBeVisible()
  })
})

describe('the program', () => {
  test('that is away is said to be, and the window goes on when it is back', async () => {
    const fake = twoFeeds()
    fake.stop()
    await openWindow(fake)
    expect(await screen.findByRole('heading', { name: 'Bellwether is not running' })).toBeVisible()
    fake.run()
    await screen.findByText('Disk almost full')

    fake.stop()
    expect(await screen.findByText(/^Bellwether does not answer/)).toBeVisible()
    expect(titles()).toContain('Disk almost full')
    fake.events = [makeEvent({ seq: 4, title: 'Missed' }), ...fake.events]
    fake.run()
    await screen.findByText('Missed')
    expect(screen.queryByText(/^Bellwether does not answer/)).toBeNull()
  })

  test('that lost patience with the window is asked for everything anew', async () => {
    const { fake } = await openWindow(twoFeeds())
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    fake.events = [makeEvent({ seq: 4, title: 'Missed' }), ...fake.events]
    fake.emit({ kind: 'lagged' })
    await rows('Missed', 'Disk almost full', 'Ingrid', 'Backup finished')
  })

  test('says where feeds.toml is broken and what the desktop lacks', async () => {
    const fake = twoFeeds()
    await openWindow(fake)
    await screen.findByText('Disk almost full')
    fake.set({
      config: {
        path: '/c/feeds.toml',
        error: { line: 14, key: 'feed[2].ulr', column: 0, code: 'misspelt_key', params: { name: 'url' }, message: 'in English' },
      },
      parts: [{ name: 'notifications', available: false, detail: 'install dunst' }],
    })
    expect(await screen.findByText('Line 14')).toBeVisible()
    expect(screen.getByText('feed[2].ulr')).toBeVisible()
    expect(screen.getByText('unknown key; did you mean url?')).toBeVisible()
    expect(screen.getByText(/^No notification service is running/)).toBeVisible()
    fake.set({ config: { path: '/c/feeds.toml', error: null }, parts: [] })
    await waitFor(() => expect(screen.queryByText('Line 14')).toBeNull())
  })

  test('says that the event log cannot be written, and when it can again', async () => {
    const fake = twoFeeds()
    await openWindow(fake)
    await screen.findByText('Disk almost full')
    // A code that this window does not know is said in English.
    fake.set({ event_log_error: { code: 'full_of_cheese', params: {}, message: 'the disk is full' } })
    expect(await screen.findByText('the disk is full')).toBeVisible()
    expect(screen.getByText(/^Nothing is lost/)).toBeVisible()
    fake.set({ event_log_error: null })
    await waitFor(() => expect(screen.queryByText('the disk is full')).toBeNull())
  })

  test('decides the language, and the person decides for it', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.selectOptions(await screen.findByLabelText('Language'), 'zh-CN')
    expect(await screen.findByRole('heading', { name: '全部事件' })).toBeVisible()
    expect(document.documentElement).toHaveAttribute('lang', 'zh-CN')
    expect(fake.requests.find(({ line }) => line === 'PATCH /settings')?.body).toEqual({ language: 'zh-CN' })
  })

  test('the theme is kept', async () => {
    const { person } = await openWindow(twoFeeds())
    await person.click(await screen.findByLabelText('Dark'))
    expect(document.documentElement).toHaveAttribute('data-theme', 'dark')
    expect(localStorage.getItem('theme')).toBe('dark')
  })
})
