import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { EVERYTHING, queryOf } from '../src/stores/log-filter'
import { LogList } from '../src/stores/log-list.svelte'
import { Toasts } from '../src/stores/toasts.svelte'
import { Fake, makeEvent, makeFeed } from '../src/transport/fake/fake'
import { Failure } from '../src/transport/transport'
import { detail, openWindow, titles, twoFeeds } from './window'

/** Tells of an element's height, as a browser does. */
const observers = new Set<(entries: { target: Element }[]) => void>()
globalThis.ResizeObserver = class {
  constructor(tell: (entries: { target: Element }[]) => void) {
    observers.add(tell)
  }
  observe() {}
  unobserve() {}
  disconnect() {}
} as unknown as typeof ResizeObserver

function setHeight(element: HTMLElement, height: number) {
  Object.defineProperty(element, 'clientHeight', { configurable: true, get: () => height })
  for (const tell of observers) tell([{ target: element }])
}

const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))
const sent = (fake: Fake, line: string) => fake.requests.filter((request) => request.line === line).map(({ body }) => body)
const three = ['Disk almost full', 'Ingrid', 'Backup finished']
const refuse = () => {
  throw new Failure('event_log', 'disk full', 'disk full')
}
const unread = () => [...document.querySelectorAll('.row.unread .title')].map((title) => title.textContent)

async function open(fake = twoFeeds()) {
  const window = await openWindow(fake)
  await screen.findAllByRole('option')
  return window
}

afterEach(() => void vi.useRealTimers())

describe('“Mark all read”', () => {
  test.each(['#/events', '#/events?feed=ops', '#/events?unread=true', '#/events?feed=ops&unread=true'])('is there at %s', async (place) => {
    location.hash = place
    await open()
    expect(screen.getByRole('button', { name: 'Mark all read' })).toBeVisible()
  })

  test.each(['event=message&unread=true', 'time=24h&unread=true', 'outcome=shown', 'search=disk&unread=true', 'feed=ops&summary=4'])(
    'is not offered where it would mark what is not in sight: %s',
    async (query) => {
      const fake = twoFeeds()
      fake.events = fake.events.map((event) => ({ ...event, summary: 4 }))
      location.hash = `#/events?${query}`
      await open(fake)
      expect(screen.queryByRole('button', { name: 'Mark all read' })).toBeNull()
    },
  )
})

describe('the list', () => {
  test('is where it was, or at what was read last, when it has the room again', async () => {
    const fake = new Fake()
    fake.status.feeds = [makeFeed({ id: 'ops', name: 'Ops alerts' })]
    fake.made = { count: 1000, make: (seq) => makeEvent({ seq, read: true }) }
    const { container, person } = await open(fake)
    await screen.findByText('1,000 events')
    const list = container.querySelector('.list') as HTMLElement
    list.scrollTop = 500 * 76
    await fireEvent.scroll(list)
    await waitFor(() => expect(titles()).toContain('Event 500'))
    await person.click(screen.getByText('Event 497'))
    const place = list.scrollTop
    // What is not shown has no height, and forgets its place.
    const hide = async () => {
      setHeight(list, 0)
      list.scrollTop = 0
      await fireEvent.scroll(list)
    }
    await hide()
    setHeight(list, 600)
    await tick()
    expect(list.scrollTop).toBe(place)
    expect(titles()).toContain('Event 497')

    await hide()
    for (let step = 0; step < 20; step++) await person.keyboard('j')
    expect(await detail().findByRole('heading', { name: 'Event 477' })).toBeVisible()
    setHeight(list, 600)
    await waitFor(() => expect(document.querySelector('.row.here .title')).toHaveTextContent('Event 477'))
    expect(list.scrollTop).toBeGreaterThan(place + 10 * 76)
    expect(list.scrollTop).toBeLessThan(place + 21 * 76)
  })

  test('shows as unread again what could not be marked', async () => {
    const fake = twoFeeds()
    fake.on('POST', '/events/read', refuse)
    const { person } = await open(fake)
    await person.click(screen.getByRole('button', { name: 'Mark all read' }))
    await waitFor(() => expect(sent(fake, 'POST /events/read')).toHaveLength(1))
    await waitFor(() => expect(unread()).toEqual(['Disk almost full']))
  })

  test('marks what is held back like anything unread', async () => {
    const fake = twoFeeds()
    fake.events = [makeEvent({ seq: 5, title: 'Held', outcome: 'held' }), makeEvent({ seq: 4, title: 'Waits', outcome: 'pending' }), ...fake.events]
    const { person } = await open(fake)
    await waitFor(() => expect(unread()).toEqual(['Held', 'Waits', 'Disk almost full']))
    await person.click(screen.getByText('Held'))
    expect(await detail().findByRole('button', { name: 'Mark unread' })).toBeVisible()
  })

  test('is fetched anew when something changed while it was fetched', async () => {
    const fake = twoFeeds()
    const answer = fake.request.bind(fake)
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    let held = false
    fake.request = async (method, path, body) => {
      const given = await answer(method, path, body)
      if (!held && path.startsWith('/events?')) {
        held = true
        await gate
      }
      return given as never
    }
    await openWindow(fake)
    await waitFor(() => expect(held).toBe(true))
    await answer('POST', '/events/read', { seqs: [3], read: true })
    // Looked at, and put off, while the first page is still on its way.
    await new Promise((resolve) => setTimeout(resolve, 400))
    release()
    await rows(...three)
    await waitFor(() => expect(unread()).toEqual([]))
  })
})

test('what was being typed into the search leads nowhere once the view is left', async () => {
  await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'disk' } })
  history.pushState(null, '', '#/settings')
  dispatchEvent(new HashChangeEvent('hashchange'))
  await tick()
  await vi.advanceTimersByTimeAsync(1000)
  expect(location.hash).toBe('#/settings')
})

describe('an event whose data came cut', () => {
  function cut() {
    const fake = twoFeeds()
    const data = `begin ${'x'.repeat(2000)} end`
    fake.events = [makeEvent({ seq: 4, title: 'Long', data, read: true })]
    return { fake, data }
  }

  test('says why the rest is missing, copies nothing that is not whole, and tries again', async () => {
    const { fake, data } = cut()
    const whole = fake.events[0]
    fake.on('GET', '/events/:seq', refuse)
    const { person } = await open(fake)
    await person.click(screen.getByText('Long'))
    await person.keyboard('2')
    expect(await detail().findByRole('alert')).toHaveTextContent('The event log failed: disk full')
    expect(detail().getByRole('button', { name: 'Copy' })).toBeDisabled()
    fake.on('GET', '/events/:seq', () => whole)
    await person.click(detail().getByRole('button', { name: 'Try again' }))
    await waitFor(() => expect(detail().getByRole('button', { name: 'Copy' })).toBeEnabled())
    await person.click(detail().getByRole('button', { name: 'Copy' }))
    expect(await navigator.clipboard.readText()).toBe(data)
  })

  test('is fetched whole once the program is there again', async () => {
    const { fake } = cut()
    const whole = fake.events[0]
    fake.on('GET', '/events/:seq', refuse)
    const { person } = await open(fake)
    await person.click(screen.getByText('Long'))
    await person.keyboard('2')
    await detail().findByRole('alert')
    fake.on('GET', '/events/:seq', () => whole)
    fake.emit({ kind: 'lagged' } as never)
    await waitFor(() => expect(detail().getByRole('button', { name: 'Copy' })).toBeEnabled())
    expect(detail().queryByRole('alert')).toBeNull()
  })
})

describe('what could not be done is told where it was asked for', () => {
  test('by a key: beside the event that is read', async () => {
    const fake = twoFeeds()
    const { person } = await open(fake)
    await person.keyboard('j')
    await waitFor(() => expect(unread()).toEqual([]))
    for (const path of ['/events/read', '/events/delete']) fake.on('POST', path, refuse)
    await person.keyboard('u')
    expect(await detail().findByRole('alert')).toHaveTextContent('disk full')
    await waitFor(() => expect(unread()).toEqual([]))
    await person.keyboard('j')
    await waitFor(() => expect(detail().queryByRole('alert')).toBeNull())
    await person.keyboard('{Delete}')
    expect(await detail().findByRole('alert')).toHaveTextContent('disk full')
    expect(document.querySelector('.toast')).toBeNull()
  })

  test('of all, and of the chosen ones: beside the buttons above the list', async () => {
    const fake = twoFeeds()
    for (const path of ['/events/read', '/events/delete']) fake.on('POST', path, refuse)
    const { person } = await open(fake)
    await person.click(screen.getByRole('button', { name: 'Mark all read' }))
    const log = () => document.querySelector('.log [role=alert]')
    await waitFor(() => expect(log()).toHaveTextContent('disk full'))
    await person.keyboard('{Control>}a{/Control}')
    await screen.findByText('3 events selected')
    await person.click(screen.getByRole('button', { name: 'Delete' }))
    await waitFor(() => expect(log()).toHaveTextContent('disk full'))
    expect(screen.getByText('3 events selected')).toBeVisible()
    expect(document.querySelector('.toast')).toBeNull()
  })
})

describe('the key that deletes', () => {
  test('deletes nothing while the focus is elsewhere, or while it is held down', async () => {
    const { person, fake } = await open()
    await person.keyboard('j')
    screen.getByRole('button', { name: 'Filter' }).focus()
    await person.keyboard('{Delete}')
    await fireEvent.keyDown(document.body, { key: 'Delete', repeat: true })
    expect(sent(fake, 'POST /events/delete')).toEqual([])
    screen.getByRole('listbox', { name: 'Events' }).focus()
    await person.keyboard('{Delete}')
    await rows('Ingrid', 'Backup finished')
  })

  test('has one Undo for all that it deleted, which a key presses as well', async () => {
    const { person, fake } = await open()
    await person.keyboard('j{Delete}')
    await rows('Ingrid', 'Backup finished')
    await person.keyboard('{Delete}')
    await rows('Backup finished')
    expect(screen.getAllByRole('button', { name: 'Undo' })).toHaveLength(1)
    expect(screen.getByText('2 events deleted')).toBeVisible()
    await person.keyboard('{Control>}z{/Control}')
    await rows(...three)
    expect(sent(fake, 'POST /events/restore')).toEqual([{ seqs: [3, 2] }])
    expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
  })
})

test('a message waits while the pointer or the focus is on it', () => {
  vi.useFakeTimers()
  const toasts = new Toasts()
  const number = toasts.show('Gone')
  vi.advanceTimersByTime(9000)
  toasts.hold(true)
  vi.advanceTimersByTime(60_000)
  expect(toasts.has(number)).toBe(true)
  toasts.hold(false)
  vi.advanceTimersByTime(9000)
  expect(toasts.has(number)).toBe(true)
  vi.advanceTimersByTime(2000)
  expect(toasts.has(number)).toBe(false)
})

test('Undo stays for as long as the pointer or the focus is on its message', async () => {
  await open()
  vi.useFakeTimers()
  await fireEvent.keyDown(document.body, { key: 'j' })
  await vi.advanceTimersByTimeAsync(100)
  await fireEvent.keyDown(document.body, { key: 'Delete' })
  await vi.advanceTimersByTimeAsync(100)
  const place = screen.getByRole('button', { name: 'Undo' }).closest('section') as HTMLElement
  await fireEvent.pointerEnter(place)
  await vi.advanceTimersByTimeAsync(60_000)
  screen.getByRole('button', { name: 'Undo' }).focus()
  await fireEvent.pointerLeave(place)
  await vi.advanceTimersByTimeAsync(60_000)
  screen.getByRole('button', { name: 'Undo' }).blur()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
})

test('keys of an input method that is composing are no commands', async () => {
  const { person } = await open()
  const search = screen.getByRole('searchbox')
  search.focus()
  await fireEvent.input(search, { target: { value: 'ni hao' } })
  await fireEvent.keyDown(search, { key: 'Escape', isComposing: true })
  await fireEvent.keyDown(search, { key: 'Enter', keyCode: 229 })
  expect(search).toHaveFocus()
  expect(search).toHaveValue('ni hao')
  await person.click(screen.getByRole('button', { name: 'Filter' }))
  const type = screen.getByRole('combobox', { name: 'Event type' })
  await fireEvent.input(type, { target: { value: 'gou jian' } })
  await fireEvent.keyDown(type, { key: 'Enter', keyCode: 229 })
  await fireEvent.keyDown(type, { key: 'Escape', isComposing: true })
  expect(screen.getByRole('dialog', { name: 'Filter events' })).toBeVisible()
  expect(location.hash).not.toContain('event=')
})

test('the view of an event is the one that was looked at last, over windows', async () => {
  const first = await open()
  await first.person.keyboard('j2')
  expect(detail().getByRole('tab', { name: 'Raw' })).toHaveAttribute('aria-selected', 'true')
  cleanup()
  const { person } = await open()
  await person.keyboard('j')
  expect(detail().getByRole('tab', { name: 'Raw' })).toHaveAttribute('aria-selected', 'true')
})

test('a view is copied as a text, which the palette takes back', async () => {
  location.hash = '#/events?feed=ops&search=disk'
  const { person } = await open()
  await person.click(screen.getByRole('button', { name: 'Export' }))
  await person.click(await screen.findByRole('menuitem', { name: 'Copy this view' }))
  expect(await screen.findByText('Copied: #/events?search=disk&feed=ops')).toBeVisible()
  expect(await navigator.clipboard.readText()).toBe('#/events?search=disk&feed=ops')
  location.hash = '#/settings'
  await screen.findByRole('heading', { name: 'Settings' })
  await person.keyboard('{Control>}k{/Control}')
  await person.paste('#/events?search=disk&feed=ops')
  expect(screen.getAllByRole('option', { name: /^Go to #\/events/ })).toHaveLength(1)
  await person.keyboard('{Enter}')
  await rows('Disk almost full')
  expect(location.hash).toBe('#/events?search=disk&feed=ops')
})

test('“Last hour” goes on with the time, and what is looked at stays', async () => {
  const fake = new Fake()
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  fake.events = [makeEvent({ seq: 2, received_at: at(10) }), makeEvent({ seq: 1, received_at: at(59) })]
  const filter = { ...EVERYTHING, time: '1h' as const }
  const list = new LogList(fake, queryOf(filter, Date.now()), true, false)
  list.begin(await list.first())
  await list.index()
  expect(list.count).toBe(2)
  await list.narrow(queryOf(filter, Date.now() + 5 * 60_000))
  expect(list.count).toBe(1)
  expect(list.chunks.list[0]?.rows?.map(({ seq }) => seq)).toEqual([2])
  await list.narrow(queryOf(filter, Date.now() + 90 * 60_000))
  expect(list.count).toBe(0)
})
