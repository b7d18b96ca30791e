import { screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import { makeEvent } from '../src/transport/fake/fake'
import { detail, openWindow, rail, titles, twoFeeds } from './window'

const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
const sent = (fake: ReturnType<typeof twoFeeds>, line: string) => fake.requests.filter((request) => request.line === line).map(({ body }) => body)

describe('snoozing', () => {
  test('all popups are kept away by the menu, and let in again by the banner', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await screen.findByRole('button', { name: 'Snooze' }))
    await person.click(screen.getByRole('menuitem', { name: 'For 1 hour' }))
    expect(await screen.findByText(/^Snoozed until /)).toBeVisible()
    expect(screen.queryByRole('menu')).toBeNull()
    fake.set({ attention: { ...fake.status.attention, held: 2 } })
    expect(await screen.findByText('2 events held back')).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'End' }))
    await waitFor(() => expect(screen.queryByText(/^Snoozed until /)).toBeNull())
    expect(sent(fake, 'PUT /snooze')).toEqual([{ until: '1h' }, { until: null }])
  })

  test('a feed is snoozed and muted by its own menu', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Ops alerts'))
    const menu = () => person.click(screen.getByRole('button', { name: 'Snooze' }))
    await menu()
    await person.click(screen.getByRole('menuitem', { name: 'Until tomorrow' }))
    expect(await screen.findByText(/^Snoozed until /)).toBeVisible()
    expect(rail().getByText('snoozed')).toBeVisible()
    await menu()
    await person.click(screen.getByRole('menuitem', { name: 'End snooze' }))
    await waitFor(() => expect(screen.queryByText(/^Snoozed until /)).toBeNull())
    expect(sent(fake, 'PUT /snooze')).toEqual([
      { feed: 'ops', until: 'tomorrow' },
      { feed: 'ops', until: null },
    ])
    await menu()
    await person.click(screen.getByRole('menuitem', { name: 'Mute' }))
    expect(await screen.findByText(/^Muted: no popups/)).toBeVisible()
    expect(rail().getByText('muted')).toBeVisible()
    await menu()
    await person.click(screen.getByRole('menuitem', { name: 'Unmute' }))
    await waitFor(() => expect(screen.queryByText(/^Muted: no popups/)).toBeNull())
    expect(sent(fake, 'PATCH /feeds/ops')).toEqual([{ muted: true }, { muted: false }])
  })

  test('the menu is used by the keyboard alone', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    const button = await screen.findByRole('button', { name: 'Snooze' })
    button.focus()
    await person.keyboard('{ArrowDown}')
    expect(await screen.findByRole('menuitem', { name: 'For 15 minutes' })).toHaveFocus()
    await person.keyboard('{ArrowUp}')
    expect(screen.getByRole('menuitem', { name: 'Until tomorrow' })).toHaveFocus()
    await person.keyboard('{Home}{ArrowDown}')
    expect(screen.getByRole('menuitem', { name: 'For 1 hour' })).toHaveFocus()
    await person.keyboard('{Escape}')
    expect(screen.queryByRole('menu')).toBeNull()
    expect(button).toHaveFocus()
    // The log's own keys are asleep while a menu is open.
    await person.keyboard('{Enter}')
    await screen.findByRole('menu')
    await person.keyboard('n/j')
    expect(screen.queryByRole('dialog')).toBeNull()
    await person.keyboard('{Home}{Enter}')
    await waitFor(() => expect(sent(fake, 'PUT /snooze')).toEqual([{ until: '15m' }]))
  })

  test('quiet hours say until when, and are not ended here', async () => {
    const fake = twoFeeds()
    fake.status.attention = { snoozed_until: null, quiet_until: at(48), held: 0 }
    await openWindow(fake)
    expect(await screen.findByText(/^Quiet hours until .*20\d\d/)).toBeVisible()
    expect(screen.queryByRole('button', { name: 'End' })).toBeNull()
  })
})

describe('why', () => {
  const why = async (event: Parameters<typeof makeEvent>[0]) => {
    const fake = twoFeeds()
    fake.events = [makeEvent(event)]
    const { person } = await openWindow(fake)
    await person.click(await screen.findByText(event.title ?? `Event ${event.seq}`))
    await person.click(detail().getByRole('tab', { name: 'Why' }))
    return within(detail().getByRole('tabpanel'))
  }

  test('an event that is held back says by what, until when, and what decided before', async () => {
    const panel = await why({ seq: 9, outcome: 'held', reason: { code: 'quiet_hours', rule: 2, detail: at(48) } })
    expect(panel.getByText('It is told later, together with others.')).toBeVisible()
    expect(panel.getByText(/^It came in the quiet hours, which last until .*20\d\d/)).toBeVisible()
    // The feed has no rules of its own.
    expect(panel.getByText('Rule 2 of its preset')).toBeVisible()
    expect(panel.getByText(/^Quiet hours until/)).toBeVisible()
    expect(panel.queryByText(/T\d\d:/)).toBeNull()
  })

  test('a preset is named', async () => {
    const panel = await why({ seq: 9, outcome: 'logged', reason: { code: 'preset', rule: 3, detail: 'ntfy' } })
    expect(panel.getByText('A rule of the preset ntfy decided so.')).toBeVisible()
    expect(panel.getByText('Rule 3 of the preset ntfy')).toBeVisible()
  })

  test('all that the popup says is there, and nothing that it does not', async () => {
    const panel = await why({
      seq: 9,
      title: 'Build failed',
      body: 'main is red',
      url: 'https://ci.example.org/7',
      key: 'main',
      sound: 'silent',
      expire_seconds: 0,
      buttons: [{ label: 'Retry', url: 'https://ci.example.org/7/retry' }],
    })
    const names = panel.getAllByRole('term').map((term) => term.textContent)
    expect(names).toEqual(['Decided by', 'Title', 'Text', 'Link', 'Urgency', 'Key', 'Sound', 'Stays', 'Buttons'])
    expect(panel.getByText('Until it is closed')).toBeVisible()
    expect(panel.getByText('https://ci.example.org/7/retry')).toBeVisible()
    expect(panel.queryByRole('link')).toBeNull()
  })
})

describe('the events of one popup', () => {
  const fake = () => {
    const fake = twoFeeds()
    fake.events = [
      makeEvent({ seq: 4, title: 'Later' }),
      makeEvent({ seq: 3, title: 'Third', outcome: 'summarized', summary: 2 }),
      makeEvent({ seq: 2, title: 'Second', outcome: 'summarized', summary: 2 }),
      makeEvent({ seq: 1, title: 'First' }),
    ]
    return fake
  }
  const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))

  test('are shown and no others, until the person wants all again', async () => {
    const program = fake()
    const { person } = await openWindow(program)
    await rows('Later', 'Third', 'Second', 'First')
    program.emit({ kind: 'open_window', value: { summary: 2 } })
    await rows('Third', 'Second')
    expect(screen.getByText('Events of one popup')).toBeVisible()
    program.arrive(makeEvent({ seq: 5, title: 'Other' }))
    program.arrive(makeEvent({ seq: 6, title: 'Fourth', outcome: 'summarized', summary: 2 }))
    await rows('Fourth', 'Third', 'Second')
    await person.click(screen.getByRole('button', { name: 'Show all events' }))
    await rows('Fourth', 'Other', 'Later', 'Third', 'Second', 'First')
    expect(screen.queryByText('Events of one popup')).toBeNull()
  })

  test('are marked as read without the others', async () => {
    const program = fake()
    program.change('ops', { counts: { ...program.status.feeds[0]!.counts, unread: 4 } })
    const { person } = await openWindow(program)
    await rows('Later', 'Third', 'Second', 'First')
    program.emit({ kind: 'open_window', value: { summary: 2 } })
    await rows('Third', 'Second')
    await person.click(screen.getByRole('button', { name: 'Mark all read' }))
    await waitFor(() => expect(sent(program, 'POST /events/read')).toEqual([{ summary: 2, read: true }]))
    expect(program.events.map(({ read }) => read)).toEqual([false, true, true, false])
  })

  test('another place shows everything again', async () => {
    const program = fake()
    const { person } = await openWindow(program)
    await rows('Later', 'Third', 'Second', 'First')
    program.emit({ kind: 'open_window', value: { summary: 2 } })
    await rows('Third', 'Second')
    await person.click(rail().getByText('Ops alerts'))
    await rows('Later', 'Third', 'Second', 'First')
  })
})
