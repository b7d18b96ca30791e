import { fireEvent, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import { connection, Fake, makeEvent, makeFeed } from '../src/transport/fake/fake'
import { detail, openWindow, rail, titles, twoFeeds } from './window'

const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))

describe('the log', () => {
  test('shows what arrives at once, above the rest', async () => {
    const { fake } = await openWindow(twoFeeds())
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    fake.arrive(makeEvent({ seq: 4, feed: 'mail', title: 'Priya' }))
    await rows('Priya', 'Disk almost full', 'Ingrid', 'Backup finished')
    expect(screen.getByText('New event from Mail: Priya')).toBeInTheDocument()
    expect(document.title).toBe('(2) Bellwether')
    fake.arrive(makeEvent({ seq: 5, title: 'Nobody sees this', outcome: 'ignored' }))
    fake.arrive(makeEvent({ seq: 6, title: 'Last' }))
    await rows('Last', 'Priya', 'Disk almost full', 'Ingrid', 'Backup finished')
  })

  test('is narrowed by feed, by mark, by outcome and by search', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    const unread = screen.getByRole('button', { name: 'Unread' })
    await person.click(unread)
    await rows('Disk almost full')
    expect(unread).toHaveAttribute('aria-pressed', 'true')
    await person.click(unread)
    await person.click(screen.getByRole('button', { name: 'Filter' }))
    await person.click(screen.getByRole('checkbox', { name: 'Logged only' }))
    await rows('Backup finished')
    await person.click(screen.getByRole('button', { name: 'Done' }))
    await person.click(screen.getByRole('button', { name: 'Remove the filter “Logged only”' }))
    await person.click(rail().getByText('Mail'))
    await rows('Ingrid')
    fake.arrive(makeEvent({ seq: 4, feed: 'ops', title: 'Elsewhere' }))
    fake.arrive(makeEvent({ seq: 5, feed: 'mail', title: 'Here' }))
    await rows('Here', 'Ingrid')
    await person.click(rail().getByText('All events'))
    await person.keyboard('/94 %')
    await rows('Disk almost full')
    fake.arrive(makeEvent({ seq: 6, title: 'Full again', body: '94 %' }))
    await rows('Full again', 'Disk almost full')
    await person.keyboard('x')
    expect(await screen.findByText('No event holds “94 %x”.')).toBeVisible()
    await person.keyboard('{Escape}')
    await rows('Full again', 'Here', 'Elsewhere', 'Disk almost full', 'Ingrid', 'Backup finished')
  })

  test('an event under the unread filter stays while it is read', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    await person.click(screen.getByRole('button', { name: 'Unread' }))
    await rows('Disk almost full')
    await person.click(screen.getByText('Disk almost full'))
    await waitFor(() => expect(document.title).toBe('Bellwether'))
    const asked = () => fake.requests.filter(({ line }) => /^GET \/events\?.*unread=true/.test(line)).length
    await waitFor(() => expect(asked()).toBe(2))
    await waitFor(() => expect(document.querySelector('.row.unread')).toBeNull())
    expect(titles()).toEqual(['Disk almost full'])
  })

  test('draws only what is in sight, and fetches more when asked to go on', async () => {
    const fake = twoFeeds()
    fake.events = Array.from({ length: 500 }, (_, at) => makeEvent({ seq: 500 - at, read: true }))
    const { container } = await openWindow(fake)
    await waitFor(() => expect(titles().length).toBeGreaterThan(5))
    expect(titles().length).toBeLessThan(60)
    const list = container.querySelector('.list') as HTMLElement
    list.scrollTop = 180 * 76
    await fireEvent.scroll(list)
    expect(titles()[0]).toMatch(/^Event 32\d$/)
    // The next chunk is near, and comes before it is in sight.
    await waitFor(() => expect(fake.requests.some(({ line }) => line.includes('before=301'))).toBe(true))
    list.scrollTop = 250 * 76
    await fireEvent.scroll(list)
    await waitFor(() => expect(titles()[0]).toMatch(/^Event 25\d$/))

    // What arrives above does not move what is looked at.
    const before = titles()
    fake.arrive(makeEvent({ seq: 501 }))
    const newer = await screen.findByText('1 new event')
    expect(titles()).toEqual(before)
    await fireEvent.click(newer)
    await waitFor(() => expect(titles()[0]).toBe('Event 501'))
  })

  test('is asked for before the status is there, and tells what came in between', async () => {
    const fake = twoFeeds()
    const follow = fake.follow.bind(fake)
    let begin = () => {}
    vi.spyOn(fake, 'follow').mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (begin = resolve))
      await follow(...args)
    })
    await openWindow(fake)
    await waitFor(() => expect(fake.requests.some(({ line }) => line.startsWith('GET /events?'))).toBe(true))
    fake.events.unshift(makeEvent({ seq: 4, feed: 'mail', title: 'In between' }))
    begin()
    await rows('In between', 'Disk almost full', 'Ingrid', 'Backup finished')
    expect(fake.requests.filter(({ line }) => line.startsWith('GET /events?')).length).toBeGreaterThan(1)
  })

  test('a failure to load is told, and can be tried again', async () => {
    const fake = twoFeeds()
    const request = fake.request.bind(fake)
    const broken = vi.spyOn(fake, 'request').mockRejectedValue({ code: 'event_log', message: 'disk I/O error', detail: 'disk I/O error' })
    const { person } = await openWindow(fake)
    expect(await screen.findByText('The event log failed: disk I/O error')).toBeVisible()
    broken.mockImplementation(request)
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
  })
})

describe('an event', () => {
  test('is read with the keyboard, in three views', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    await person.keyboard('j')
    expect(detail().getByRole('heading', { name: 'Disk almost full' })).toBeVisible()
    expect(fake.requests.find(({ line }) => line === 'POST /events/read')?.body).toEqual({ seqs: [3], read: true })

    await person.click(detail().getByRole('tab', { name: 'Raw' }))
    // Literals stay as they were received, beyond what JavaScript's numbers hold.
    expect(detail().getByRole('tabpanel')).toHaveTextContent('{ "priority": 5, "n": 12884901888123456789 }')
    await person.click(detail().getByRole('button', { name: 'Copy' }))
    expect(await navigator.clipboard.readText()).toBe('{"priority":5,"n":12884901888123456789}')

    await person.keyboard('kjj')
    expect(document.querySelector('.list [aria-selected=true]')).toHaveTextContent('Backup finished')
    await person.click(detail().getByRole('tab', { name: 'Raw' }))
    await person.keyboard('{ArrowRight}')
    expect(detail().getByRole('tab', { name: 'Why' })).toHaveFocus()
    expect(detail().getByText('Rule 2 of this feed decided so.')).toBeVisible()
    expect(detail().getByText('No popup: it went to the log only.')).toBeVisible()
  })

  test('all its data is fetched when the list has it cut', async () => {
    const fake = twoFeeds()
    const whole = makeEvent({ seq: 4, title: 'Long', data: 'from beginning to end', outcome: 'logged' })
    fake.events = [whole]
    const answer = fake.request.bind(fake)
    vi.spyOn(fake, 'request').mockImplementation(async (method, path, body) => {
      if (path.startsWith('/events?')) return { events: [{ ...whole, data: 'from', data_truncated: true }], next_before: null } as never
      return answer(method, path, body)
    })
    const { person } = await openWindow(fake)
    await person.click(await screen.findByText('Long'))
    await person.click(detail().getByRole('tab', { name: 'Raw' }))
    expect(await detail().findByText('from beginning to end')).toBeVisible()
  })

  test('its link is opened by the program, after a click', async () => {
    const fake = twoFeeds()
    fake.events = [makeEvent({ seq: 9, title: 'With link', url: 'https://example.org/x' })]
    const { person } = await openWindow(fake)
    await person.click(await screen.findByText('With link'))
    expect(detail().queryByRole('link')).toBeNull()
    await person.click(detail().getByRole('button', { name: 'Open link' }))
    await waitFor(() => expect(fake.requests.map(({ line }) => line)).toContain('POST /events/9/open'))
  })

  test('is brought up when its popup was clicked, whatever was looked at', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Mail'))
    fake.emit({ kind: 'open_window', value: { event: 1 } })
    expect(await detail().findByRole('heading', { name: 'Backup finished' })).toBeVisible()
    await rows('Disk almost full', 'Ingrid', 'Backup finished')
    fake.emit({ kind: 'open_window', value: { event: 3 } })
    expect(await detail().findByRole('heading', { name: 'Disk almost full' })).toBeVisible()
  })

  test('all are marked as read at once', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await person.click(await screen.findByRole('button', { name: 'Mark all read' }))
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Mark all read' })).toBeNull())
    expect(fake.requests.find(({ line }) => line === 'POST /events/read')?.body).toEqual({ read: true })
  })

  test('nothing that a feed sends takes effect as markup', async () => {
    const evil = '<img src=x onerror="globalThis.harmed=1"><script>globalThis.harmed=1</script>\u202Egnp.exe{{7*7}}'
    const fake = new Fake()
    fake.status.feeds = [makeFeed({ id: 'ops', name: evil, connection: connection('waiting', { reason: { code: evil, detail: evil } }) })]
    fake.events = [makeEvent({ seq: 1, event: evil, id: evil, title: evil, body: evil, data: evil, reason: { code: evil, rule: null, detail: evil } })]
    const { person, container } = await openWindow(fake)
    await person.click((await screen.findAllByText(evil))[0] as HTMLElement)
    await person.keyboard('j')
    for (const tab of ['Rendered', 'Why', 'Raw']) {
      await person.click(detail().getByRole('tab', { name: tab }))
      expect(container.querySelector('img, script')).toBeNull()
    }
    expect(detail().getByText('U+202E')).toBeVisible()
    expect(globalThis).not.toHaveProperty('harmed')
  })
})
