import { fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import { connection, Fake, makeFeed } from '../src/transport/fake/fake'
import { Failure } from '../src/transport/transport'
import { openWindow, rail, titles, twoFeeds } from './window'

const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))
const sent = (fake: Fake, line: string) => fake.requests.filter((request) => request.line === line).map(({ body }) => body)
const named = () => [...document.querySelectorAll('[data-feed]')].map((row) => row.querySelector('bdi')?.textContent)
const place = (id: string) => document.querySelector<HTMLElement>(`[data-feed=${id}]`) as HTMLElement
const menu = () => within(screen.getByRole('menu'))

async function openMenu(person: Awaited<ReturnType<typeof openWindow>>['person'], name: string) {
  await person.click(rail().getByRole('button', { name: `More for ${name}` }))
}

/** Four feeds, two of them in a group. */
function four(): Fake {
  const fake = twoFeeds()
  const counts = { events: 4, unread: 3, repeats: 0, ignored: 0, oversized: 0 }
  fake.status.feeds = [
    ...fake.status.feeds,
    makeFeed({ id: 'ci', name: 'CI', group: 'Work', counts }),
    makeFeed({ id: 'shop', name: 'Shop', group: 'Work', counts, connection: connection('needs_attention', { reason: { code: 'sign_in_refused', detail: '401' } }) }),
  ]
  return fake
}

describe('the header of a feed', () => {
  test('pauses and resumes it', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    await person.click(screen.getByRole('button', { name: 'Pause' }))
    expect(await screen.findByText(/^Paused: not connected/)).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Resume' }))
    expect(await screen.findByRole('button', { name: 'Pause' })).toBeVisible()
    expect(fake.status.feeds[0]?.paused).toBe(false)
  })

  test('and the list say that its server need not prove itself', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    expect(await rail().findByText('Ops alerts')).toBeVisible()
    expect(screen.queryByText('certificate not verified')).toBeNull()
    fake.change('ops', { verify_certificate: false })
    expect(await rail().findByText('certificate not verified')).toBeVisible()
    await person.click(rail().getByText('Ops alerts'))
    await waitFor(() => expect(screen.getAllByText('certificate not verified')).toHaveLength(2))
  })

  test('names the rule that failed last', async () => {
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

  test('says why and until when it waits, and tries at once when asked', async () => {
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

  test('says how often something comes, and what is wrong with it', async () => {
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

  test('finds no trouble in a server that hangs up after each event', async () => {
    const fake = twoFeeds()
    fake.change('ops', { connection: connection('waiting', { reason: { code: 'ended', detail: '' } }) })
    await openWindow(fake)
    expect(await screen.findByText('All 2 feeds are connected')).toBeVisible()
    expect(rail().getByText('Between events')).toBeVisible()
  })

  test('tells in a sentence why an action failed', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    fake.status.feeds = fake.status.feeds.slice(1)
    await person.click(screen.getByRole('button', { name: 'Pause' }))
    expect(await screen.findByText('This feed is no longer there.')).toBeVisible()
  })
})

describe('removing', () => {
  test('asks nothing, and is taken back with all that the feed had', async () => {
    const fake = twoFeeds()
    fake.change('ops', { idle_timeout_seconds: 0, repeats: 'show', rules: 2 })
    const { person } = await openWindow(fake)
    await person.click(await rail().findByText('Ops alerts'))
    await openMenu(person, 'Ops alerts')
    await person.click(menu().getByRole('menuitem', { name: 'Remove' }))
    expect(await screen.findByText('Removed “Ops alerts”. Its events stay in the log.')).toBeVisible()
    expect(rail().queryByText('Ops alerts')).toBeNull()
    expect(screen.getByRole('heading', { name: 'All events' })).toBeVisible()
    await rows('Disk almost full', 'Ingrid', 'Backup finished')

    await person.click(screen.getByRole('button', { name: 'Undo' }))
    expect(await screen.findByRole('heading', { name: 'Ops alerts' })).toBeVisible()
    expect(sent(fake, 'POST /feeds/ops/restore')).toHaveLength(1)
    expect(fake.status.feeds[0]).toMatchObject({ id: 'ops', idle_timeout_seconds: 0, repeats: 'show', rules: 2 })
  })

  test('by the Delete key leaves the focus in the list', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await rail().findByText('Ops alerts')
    place('ops').focus()
    await person.keyboard('{Delete}')
    expect(await screen.findByRole('button', { name: 'Undo' })).toBeVisible()
    await waitFor(() => expect(place('mail')).toHaveFocus())
    expect(fake.status.feeds.map(({ id }) => id)).toEqual(['mail'])
  })

  test('that cannot be taken back any more says so', async () => {
    const fake = twoFeeds()
    const { person } = await openWindow(fake)
    await rail().findByText('Ops alerts')
    place('ops').focus()
    await person.keyboard('{Delete}')
    fake.on('POST', '/feeds/:id/restore', () => {
      throw new Failure('nothing_to_restore')
    })
    await person.click(await screen.findByRole('button', { name: 'Undo' }))
    expect(await screen.findByText('This cannot be taken back any more.')).toBeVisible()
  })
})

describe('the list of feeds', () => {
  test('has groups that are folded, with the sum and the worst of them, and stay so', async () => {
    const { person } = await openWindow(four())
    const group = await rail().findByRole('button', { name: /^Work/ })
    expect(group).toHaveAttribute('aria-expanded', 'true')
    expect(named()).toEqual(['Ops alerts', 'Mail', 'CI', 'Shop'])
    await person.click(group)
    expect(named()).toEqual(['Ops alerts', 'Mail'])
    expect(group).toHaveTextContent('6')
    expect(group).toHaveAccessibleName('Work Needs attention 6')
    expect(JSON.parse(localStorage.getItem('collapsed-groups') ?? '')).toEqual(['Work'])
  })

  test('is ordered by the keyboard, over the borders of groups', async () => {
    const { person, fake } = await openWindow(four())
    await rail().findByText('Shop')
    place('mail').focus()
    await person.keyboard('{Alt>}{ArrowUp}{/Alt}')
    await waitFor(() => expect(sent(fake, 'PUT /feeds/order')).toEqual([{ feeds: ['mail', 'ops', 'ci', 'shop'] }]))
    expect(screen.getByText('“Mail” is now 1 of 2')).toBeInTheDocument()
    await person.keyboard('{Alt>}{ArrowUp}{/Alt}')
    expect(await screen.findByText('“Mail” is the first already')).toBeInTheDocument()

    place('ops').focus()
    await person.keyboard('{Alt>}{ArrowDown}{/Alt}')
    await waitFor(() => expect(fake.status.feeds.find(({ id }) => id === 'ops')?.group).toBe('Work'))
    expect(await screen.findByText('“Ops alerts” is now 1 of 3 in “Work”')).toBeInTheDocument()
    expect(sent(fake, 'PATCH /feeds/ops')).toEqual([{ group: 'Work' }])
    await waitFor(() => expect(place('ops')).toHaveFocus())
  })

  test('goes back to its order with the reason if that is refused', async () => {
    const fake = four()
    const { person } = await openWindow(fake)
    await rail().findByText('Shop')
    fake.on('PUT', '/feeds/order', () => {
      throw new Failure('broken_config')
    })
    await openMenu(person, 'Mail')
    await person.click(menu().getByRole('menuitem', { name: 'Move' }))
    await person.click(menu().getByRole('menuitem', { name: 'Move up' }))
    expect(await rail().findByText(/^“Mail” was not moved: feeds.toml has a mistake/)).toBeVisible()
    expect(named()).toEqual(['Ops alerts', 'Mail', 'CI', 'Shop'])
  })

  test('moves a feed into a group, a new one too, by its menu', async () => {
    const { person, fake } = await openWindow(four())
    await rail().findByText('Shop')
    await openMenu(person, 'Mail')
    await person.click(menu().getByRole('menuitem', { name: 'Move' }))
    await person.click(menu().getByRole('menuitem', { name: 'To group “Work”' }))
    await waitFor(() => expect(fake.status.feeds.map(({ id, group }) => `${id} ${group}`)).toEqual(['ops null', 'ci Work', 'shop Work', 'mail Work']))
    await openMenu(person, 'Mail')
    await person.click(menu().getByRole('menuitem', { name: 'Move' }))
    await person.click(menu().getByRole('menuitem', { name: 'To a new group…' }))
    await person.type(within(screen.getByRole('dialog')).getByLabelText('Group'), 'Post{Enter}')
    expect(await rail().findByRole('button', { name: 'Post' })).toBeVisible()
    expect(sent(fake, 'PATCH /feeds/mail').at(-1)).toEqual({ group: 'Post' })
  })

  test('is ordered with a pointer', async () => {
    const { fake } = await openWindow(four())
    await rail().findByText('Shop')
    // What stands where, as the browser would say.
    const things = [...document.querySelectorAll<HTMLElement>('[data-feed], [data-group]')]
    for (const [at, thing] of things.entries()) thing.getBoundingClientRect = () => new DOMRect(0, at * 20, 200, 20)
    const list = place('ops').closest('.places') as HTMLElement
    const pointer = (type: string, y: number, on: Element = list) =>
      fireEvent(on, Object.assign(new MouseEvent(type, { bubbles: true, clientY: y, button: 0 }), { pointerId: 1, pointerType: 'mouse' }))
    await pointer('pointerdown', 10, place('ops'))
    await pointer('pointermove', 12)
    expect(document.querySelector('.places > .line')).toBeNull()
    // Over the lower half of “CI”, which follows the heading of its group.
    await pointer('pointermove', 75)
    expect(document.querySelector('.places > .line')).not.toBeNull()
    await pointer('pointerup', 75)
    await waitFor(() => expect(fake.status.feeds.map(({ id, group }) => `${id} ${group}`)).toEqual(['mail null', 'ci Work', 'ops Work', 'shop Work']))
    // The click that ends the drag opens nothing.
    await fireEvent.click(place('ops'))
    expect(location.hash).toBe('#/events')
  })

  test('has a menu on the right button that is used by the keyboard, and marks all read', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await rail().findByText('Mail')
    await fireEvent.contextMenu(place('ops'), { clientX: 30, clientY: 90 })
    await waitFor(() => expect(menu().getAllByRole('menuitem')[0]).toHaveFocus())
    await person.keyboard('{ArrowDown}{ArrowDown}{ArrowRight}')
    expect(await screen.findByRole('menu', { name: 'Show no popups for a while' })).toBeVisible()
    await person.keyboard('{Escape}')
    expect(await screen.findByRole('menu', { name: 'Ops alerts' })).toBeVisible()
    await person.click(menu().getByRole('menuitem', { name: 'Mark all read' }))
    await waitFor(() => expect(sent(fake, 'POST /events/read')).toEqual([{ feed: 'ops', read: true }]))
    expect(screen.queryByRole('menu')).toBeNull()
    expect(place('ops')).toHaveFocus()
  })

  test('is walked through by keys', async () => {
    const { person } = await openWindow(four())
    await rail().findByText('Shop')
    await person.keyboard('{Control>}3{/Control}')
    expect(await screen.findByRole('heading', { name: 'CI' })).toBeVisible()
    await person.keyboard(']')
    expect(await screen.findByRole('heading', { name: 'Shop' })).toBeVisible()
    await person.keyboard('[[[[')
    expect(await screen.findByRole('heading', { name: 'Mail' })).toBeVisible()
  })

  test('speaks Chinese', async () => {
    const fake = four()
    fake.status.locale = 'zh-CN'
    const { person } = await openWindow(fake)
    await person.click(await rail().findByRole('button', { name: 'Mail的更多操作' }))
    await person.click(menu().getByRole('menuitem', { name: '移除' }))
    expect(await screen.findByText('已移除“Mail”，它的事件仍保留在日志中。')).toBeVisible()
    await person.click(screen.getByRole('button', { name: '撤销' }))
    expect(await screen.findByText('“Mail”已恢复')).toBeVisible()
  })
})

describe('the page of a feed', () => {
  async function openPage(fake: Fake, id = 'ops') {
    history.replaceState(null, '', `#/feeds/${id}`)
    const window = await openWindow(fake)
    await screen.findByRole('heading', { name: 'Settings' })
    return window
  }

  test('says what to do about a trouble', async () => {
    const fake = twoFeeds()
    fake.change('ops', { connection: connection('needs_attention', { reason: { code: 'sign_in_refused', detail: '401' }, attempt: 3 }) })
    const { person } = await openPage(fake)
    expect(screen.getByText(/^The server asks for a sign-in \(401\)\. Give valid credentials/)).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Try now' }))
    expect(sent(fake, 'POST /feeds/ops/reconnect')).toHaveLength(1)
  })

  test('shows the day in words, steps and outages', async () => {
    const fake = twoFeeds()
    const from = new Date(Date.now() - 86_400_000)
    const at = (minutes: number) => new Date(from.getTime() + minutes * 60_000).toISOString()
    const events = Array.from({ length: 96 }, (_, at) => (at === 40 ? 7 : at === 90 ? 2 : 0))
    fake.on('GET', '/feeds/:id/activity', () => ({
      from: from.toISOString(),
      step_seconds: 900,
      events,
      connections: [
        { number: 1, feed: 'ops', at: at(60), after: 0, kind: 'lost', reason: { code: 'refused', detail: 'ops.example.org:443' }, away_seconds: null },
        { number: 2, feed: 'ops', at: at(75), after: 0, kind: 'back', reason: null, away_seconds: 900 },
      ],
    }))
    const { person } = await openPage(fake)
    expect((await screen.findAllByText(/^9 events in 24 hours, most at .*\. Not connected once\.$/))[0]).toBeVisible()
    const chart = screen.getByRole('slider', { name: /^Events of the last 24 hours/ })
    chart.focus()
    await person.keyboard('{Home}')
    expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/: 0 events\.$/))
    for (let step = 0; step < 10; step++) await person.keyboard('{ArrowUp}')
    expect(chart).toHaveAttribute('aria-valuetext', expect.stringMatching(/: 7 events\.$/))
    // Four steps on from the first the connection was lost.
    await person.keyboard('{Home}{ArrowUp}')
    expect(screen.getByText(/: 0 events\. Not connected .*–.*\. ops\.example\.org:443 refuses the connection\./)).toBeVisible()
  })

  test('applies a setting at once, and keeps what was typed when that fails', async () => {
    const { person, fake } = await openPage(twoFeeds())
    const name = await screen.findByLabelText('Name')
    await person.clear(name)
    await person.type(name, 'Operations{Enter}')
    expect(await screen.findByRole('heading', { name: 'Operations' })).toBeVisible()
    expect(sent(fake, 'PATCH /feeds/ops')).toEqual([{ name: 'Operations' }])

    const real = fake.request.bind(fake)
    const broken = vi.spyOn(fake, 'request').mockImplementation(async (method, path, body) => {
      if (method === 'PATCH') throw new Failure('broken_config')
      return real(method, path, body)
    })
    await person.clear(name)
    await person.type(name, 'Lost?')
    await person.tab()
    expect(await screen.findByText(/^feeds.toml has a mistake/)).toBeVisible()
    expect(name).toHaveValue('Lost?')
    expect(name).toBeInvalid()
    broken.mockImplementation(real)
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('heading', { name: 'Lost?' })).toBeVisible()
    expect(name).toBeValid()
  })

  test('sets switches and choices, with what comes of each', async () => {
    const { person, fake } = await openPage(twoFeeds())
    await person.click(await screen.findByRole('switch', { name: 'Mute' }))
    expect(await screen.findByText('No popups: its events go to the log only.')).toBeVisible()
    await person.selectOptions(screen.getByLabelText('Preset'), 'ntfy')
    await person.selectOptions(screen.getByLabelText('Tell me when it is silent'), 'time')
    await person.type(await screen.findByLabelText('Silence of'), '6h{Enter}')
    await person.click(screen.getByText('Advanced settings'))
    await person.click(screen.getByRole('switch', { name: 'Verify the server’s certificate' }))
    expect(await screen.findByText(/^Not verified: anyone on the way/)).toBeVisible()
    const idle = screen.getByLabelText('Counts as dead after silence of')
    await person.clear(idle)
    await person.type(idle, '1.5{Enter}')
    expect(await screen.findByText(/A whole number of seconds/)).toBeVisible()
    await person.clear(idle)
    await person.type(idle, '604800{Enter}')
    await waitFor(() => expect(fake.status.feeds[0]?.idle_timeout_seconds).toBe(604_800))
    expect(sent(fake, 'PATCH /feeds/ops')).toEqual([
      { muted: true },
      { preset: 'ntfy' },
      { silence_alert: '6h' },
      { verify_certificate: false },
      { idle_timeout_seconds: 604_800 },
    ])
  })

  test('sets, replaces and forgets credentials, and never shows a secret', async () => {
    const { person, fake } = await openPage(twoFeeds())
    await person.click(await screen.findByRole('button', { name: 'Add credentials' }))
    await person.type(screen.getByLabelText('Token'), 'no keyring')
    await person.click(screen.getByRole('button', { name: 'Set' }))
    // Where there is no keyring the secret stays, and another place is chosen.
    expect(await screen.findByText(/^The keyring cannot be used/)).toBeVisible()
    expect(screen.getByLabelText('Token')).toHaveValue('no keyring')
    await person.click(screen.getByRole('radio', { name: /^Environment variable/ }))
    await person.type(screen.getByLabelText('Variable'), 'OPS_TOKEN')
    await person.click(screen.getByRole('button', { name: 'Set' }))
    expect(await screen.findByText('The secret is in the environment variable OPS_TOKEN.')).toBeVisible()

    await person.click(screen.getByRole('button', { name: 'Replace' }))
    await person.type(screen.getByLabelText('Token'), 's3cret')
    expect(screen.getByLabelText('Token')).toHaveAttribute('type', 'password')
    await person.click(screen.getByRole('button', { name: 'Set' }))
    expect(await screen.findByText('The secret is in the keyring.')).toBeVisible()
    expect(sent(fake, 'PUT /feeds/ops/credential').at(-1)).toEqual({ kind: 'bearer', secret: { keyring: 's3cret' } })
    expect(document.body.textContent).not.toContain('s3cret')

    await person.click(screen.getByRole('button', { name: 'Remove' }))
    await person.click(screen.getByRole('button', { name: 'Remove' }))
    expect(await screen.findByText('None: it is reached without signing in.')).toBeVisible()
    expect(sent(fake, 'PUT /feeds/ops/credential').at(-1)).toEqual({ kind: 'bearer' })
  })

  test('says which address and which preset', async () => {
    const fake = twoFeeds()
    const { person } = await openPage(fake)
    fake.change('ops', { connection: connection('connected', { moved_to: 'https://example.org/new' }) })
    expect(await screen.findByText('The server asks to use another address from now on:')).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Use this address' }))
    await waitFor(() => expect(fake.status.feeds[0]?.url).toBe('https://example.org/new'))
    const why = { code: 'preset_event', params: { event: 'open', name: 'ntfy' }, message: '' }
    fake.change('ops', { preset: { id: 'ntfy', name: 'ntfy', chosen: 'stream', why } })
    expect(await screen.findByText('Preset ntfy, because it sent an event “open” as ntfy does')).toBeVisible()
  })

  test('sends a test popup, or says at the button why not', async () => {
    const { person, fake } = await openPage(twoFeeds())
    await person.click(screen.getByRole('button', { name: 'Send a test popup' }))
    expect(await screen.findByText('Sent a sample popup.')).toBeVisible()
    fake.on('POST', '/feeds/:id/test', () => {
      throw new Failure('no_notifications')
    })
    await person.click(screen.getByRole('button', { name: 'Send a test popup' }))
    expect(await screen.findByText('No notification service is running.')).toBeVisible()
  })
})
