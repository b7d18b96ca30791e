import { fireEvent, screen, waitFor } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, test, vi } from 'vitest'
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
