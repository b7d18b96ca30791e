import { fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import { Fake, makeEvent, makeFeed } from '../src/transport/fake/fake'
import { Failure } from '../src/transport/transport'
import { detail, openWindow, rail, titles, twoFeeds } from './window'

const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))
const sent = (fake: Fake, line: string) => fake.requests.filter((request) => request.line === line).map(({ body }) => body)
const three = ['Disk almost full', 'Ingrid', 'Backup finished']
const refuse = (code: 'event_log' | 'cannot_write' | 'no_notifications') => () => {
  throw new Failure(code, 'disk full', 'disk full')
}

async function open(fake = twoFeeds()) {
  const window = await openWindow(fake)
  await screen.findAllByRole('option')
  return window
}

describe('filters', () => {
  test('are the window’s place: they combine, are gone back from, and are opened by a text', async () => {
    const { person, fake } = await open()
    await rows(...three)
    await person.click(screen.getByRole('button', { name: 'Unread' }))
    await rows('Disk almost full')
    expect(location.hash).toBe('#/events?unread=true')
    await person.keyboard('/ingrid')
    expect(await screen.findByRole('heading', { name: 'Nothing found' })).toBeVisible()
    await waitFor(() => expect(location.hash).toBe('#/events?search=ingrid&unread=true'))
    expect(fake.requests.map(({ line }) => line).filter((line) => line.includes('search=ingrid') && line.includes('unread=true'))).not.toEqual([])

    history.back()
    await rows(...three)
    expect(screen.getByRole('searchbox')).toHaveValue('')
    expect(screen.getByRole('button', { name: 'Unread' })).toHaveAttribute('aria-pressed', 'false')
    location.hash = '#/events?feed=mail&search=contract'
    await rows('Ingrid')
    expect(screen.getByRole('heading', { name: 'Mail' })).toBeVisible()
    expect(screen.getByRole('searchbox')).toHaveValue('contract')
  })

  test('are chosen in the popover, by the keyboard, and taken away one by one or all', async () => {
    const fake = twoFeeds()
    fake.events = [makeEvent({ seq: 4, event: 'build', title: 'Built' }), ...fake.events]
    const { person } = await open(fake)
    screen.getByRole('button', { name: 'Filter' }).focus()
    await person.keyboard('{Enter}')
    const popover = within(await screen.findByRole('dialog', { name: 'Filter events' }))
    const type = popover.getByRole('combobox', { name: 'Event type' })
    await person.click(type)
    expect(await popover.findByRole('option', { name: 'build' })).toBeVisible()
    await person.keyboard('bui{ArrowDown}{Enter}')
    await rows('Built')
    await person.click(popover.getByRole('radio', { name: 'Last hour' }))
    expect(location.hash).toBe('#/events?event=build&time=1h')
    await person.keyboard('{Escape}')
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(screen.getByRole('button', { name: 'Filter 2' })).toHaveFocus()
    await person.click(screen.getByRole('button', { name: 'Remove the filter “Type: build”' }))
    await rows('Built', ...three)
    expect(screen.getByText('4 events')).toBeVisible()

    location.hash = '#/events?event=none&time=1h'
    await person.click((await screen.findAllByRole('button', { name: 'Clear all filters' }))[0]!)
    await rows('Built', ...three)
    expect(location.hash).toBe('#/events')
  })
})

describe('a search', () => {
  test('is highlighted in rows and in what is read, and leads into the list', async () => {
    const { person } = await open()
    await person.keyboard('/DISK fu')
    await rows('Disk almost full')
    await waitFor(() => expect([...document.querySelectorAll('.row mark')].map((mark) => mark.textContent)).toEqual(['Disk', 'full']))
    await person.keyboard('{ArrowDown}')
    expect(screen.getByRole('listbox', { name: 'Events' })).toHaveFocus()
    expect(await detail().findByRole('heading', { name: 'Disk almost full' })).toBeVisible()
    expect(detail().getAllByText(/Disk|full/, { selector: 'mark' })).toHaveLength(2)
  })
})

describe('what is done with events', () => {
  test('one is deleted by its key, the next one is read, and Undo brings it back', async () => {
    const { person, fake } = await open()
    await person.keyboard('j')
    await person.keyboard('{Delete}')
    await rows('Ingrid', 'Backup finished')
    expect(await detail().findByRole('heading', { name: 'Ingrid' })).toBeVisible()
    expect(sent(fake, 'POST /events/delete')).toEqual([{ seqs: [3] }])
    await person.click(screen.getByRole('button', { name: 'Undo' }))
    await rows(...three)
    expect(sent(fake, 'POST /events/restore')).toEqual([{ seqs: [3] }])
  })

  test('a failure is told at what was pressed', async () => {
    const fake = twoFeeds()
    fake.on('POST', '/events/:seq/show', refuse('no_notifications'))
    const { person } = await open(fake)
    await person.click(screen.getByText('Ingrid'))
    await person.click(detail().getByRole('button', { name: 'Show again' }))
    expect(await detail().findByRole('alert')).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
    fake.on('POST', '/events/:seq/show', () => undefined)
    await person.click(detail().getByRole('button', { name: 'Show again' }))
    expect(await detail().findByRole('button', { name: 'Shown' })).toBeVisible()
    expect(detail().queryByRole('alert')).toBeNull()
  })

  test('a rule is made from one', async () => {
    const { person } = await open()
    await person.click(screen.getByText('Ingrid'))
    await person.keyboard('m')
    // What it is made from is the rules' own affair.
    expect(location.hash).toMatch(/^#\/feeds\/mail\/rules/)
  })

  test('it is marked by its key, read and unread', async () => {
    const { person, fake } = await open()
    await person.keyboard('j')
    await person.keyboard('u')
    await waitFor(() => expect(sent(fake, 'POST /events/read')).toEqual([{ seqs: [3], read: true }, { seqs: [3], read: false }]))
    await waitFor(() => expect(document.title).toBe('(1) Bellwether'))
  })

  test('several are chosen and dealt with together', async () => {
    const { person, fake } = await open()
    await person.click(screen.getByText('Disk almost full'))
    await person.keyboard('{Control>}')
    await person.click(screen.getByText('Backup finished'))
    await person.keyboard('{/Control}')
    expect(screen.getByText('2 events selected')).toBeVisible()
    await person.keyboard('{Escape}')
    expect(screen.queryByText('2 events selected')).toBeNull()
    await person.keyboard('{Shift>}J{/Shift}')
    expect(await screen.findByText('2 events selected')).toBeVisible()
    await person.keyboard('{Delete}')
    await rows('Backup finished')
    expect(sent(fake, 'POST /events/delete')).toEqual([{ seqs: [3, 2] }])
    await person.keyboard('{Control>}a{/Control}')
    expect(await screen.findByText('1 event selected')).toBeVisible()
  })

  test('those of the filter are exported, and the folder is opened', async () => {
    const { person, fake } = await open()
    await person.click(screen.getByRole('button', { name: 'Unread' }))
    await rows('Disk almost full')
    await person.keyboard('e')
    await person.click(await screen.findByRole('menuitem', { name: 'As a table (CSV)' }))
    expect(await screen.findByText('1 event written to /home/lin/Downloads/bellwether-events.csv')).toBeVisible()
    expect(sent(fake, 'POST /events/export')).toEqual([{ format: 'csv', query: { unread: true } }])
    await person.click(screen.getByRole('button', { name: 'Show in folder' }))
    expect(sent(fake, 'POST /exports/open')).toHaveLength(1)
    fake.on('POST', '/events/export', refuse('cannot_write'))
    await person.keyboard('e')
    await person.click(await screen.findByRole('menuitem', { name: 'As JSON Lines' }))
    expect(await screen.findByRole('alert')).toHaveTextContent('disk full')
  })
})

describe('an event', () => {
  test('is looked at in three ways, by keys', async () => {
    const { person } = await open()
    await person.keyboard('j2')
    expect(detail().getByRole('tab', { name: 'Raw' })).toHaveAttribute('aria-selected', 'true')
    expect(detail().getByText('https://example.org')).toBeVisible()
    await person.keyboard('3')
    expect(detail().getByRole('tab', { name: 'Why' })).toHaveAttribute('aria-selected', 'true')
    await person.keyboard('1')
    expect(detail().getByRole('article', { name: 'Popup: Disk almost full' })).toHaveTextContent('db-2 is at 94 %')
  })

  test('says which rule decided, and leads there', async () => {
    const fake = twoFeeds()
    fake.change('ops', { rules: 2 })
    const rule = { when: 'data.priority > 3', notify: { title: '{{ data.title }}' } }
    fake.on('GET', '/feeds/:id/rules', () => ({ rules: [{ rule: {}, run: null }, { rule, run: null }], revision: '1' }))
    const { person } = await open(fake)
    await person.click(screen.getByText('Backup finished'))
    await person.keyboard('3')
    expect(await detail().findByText('data.priority > 3')).toBeVisible()
    expect(detail().getByText('{{ data.title }}')).toBeVisible()
    expect(detail().getByRole('link', { name: 'Open the rule' })).toHaveAttribute('href', '#/feeds/ops/rules?rule=2')
  })

  test('of a mebibyte is shown in parts, all of it when asked for', async () => {
    const fake = twoFeeds()
    const data = `${'a line of text\n'.repeat(20_000)}the end`
    fake.events = [makeEvent({ seq: 4, title: 'Large', data })]
    const { person } = await open(fake)
    await person.click(screen.getByText('Large'))
    await person.keyboard('2')
    await person.click(await detail().findByRole('button', { name: 'Show all of it' }))
    // A text of this length is too much to be compared, or looked through with each of its pieces.
    const last = () => document.querySelector('pre')?.lastElementChild?.textContent.includes('the end')
    await waitFor(() => expect(last()).toBe(true), { interval: 200 })
  })

  test('with a link that is no link to the web offers none', async () => {
    const fake = twoFeeds()
    fake.events = [makeEvent({ seq: 4, title: 'Bad link', url: 'javascript:alert(1)' })]
    const { person } = await open(fake)
    await person.click(screen.getByText('Bad link'))
    expect(detail().getByText('javascript:alert(1)')).toBeVisible()
    expect(detail().queryByRole('button', { name: 'Open link' })).toBeNull()
    await person.keyboard('o')
    expect(sent(fake, 'POST /events/4/open')).toEqual([])
  })
})

describe('the list', () => {
  test('tells of lost connections quietly, and only where nothing is left out', async () => {
    const fake = twoFeeds()
    const reason = { code: 'refused', detail: '10.0.0.7:80' }
    const at = new Date().toISOString()
    fake.connections = [
      { number: 2, feed: 'mail', at, after: 2, kind: 'back', reason: null, away_seconds: 180 },
      { number: 1, feed: 'mail', at, after: 2, kind: 'lost', reason, away_seconds: null },
    ]
    const { person } = await open(fake)
    expect(await screen.findByText(/^connection lost: 10\.0\.0\.7:80 .* · back after 3 minutes$/)).toBeVisible()
    fake.emit({ kind: 'connection_change', value: { number: 3, feed: 'ops', at, after: 3, kind: 'lost', reason: null, away_seconds: null } })
    expect(await screen.findByText('connection lost')).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Unread' }))
    await rows('Disk almost full')
    expect(screen.queryByText(/^connection lost/)).toBeNull()
  })

  test('of a million is gone through by keys, and stays where it is when the program starts anew', async () => {
    const fake = new Fake()
    fake.status.feeds = [makeFeed({ id: 'ops', name: 'Ops alerts' })]
    fake.made = { count: 1_000_000, make: (seq) => makeEvent({ seq, read: true, received_at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString() }) }
    const { person } = await open(fake)
    expect(await screen.findByText('1,000,000 events')).toBeVisible()
    await person.keyboard('{End}')
    expect(await detail().findByRole('heading', { name: 'Event 1' })).toBeVisible()
    await waitFor(() => expect(titles()).toContain('Event 1'))
    await person.keyboard('kk')
    await waitFor(() => expect(document.querySelector('.row.here .title')).toHaveTextContent('Event 3'))
    expect(document.querySelectorAll('.list .place').length).toBeLessThan(60)

    const before = titles()
    fake.stop()
    expect(await screen.findByText(/^Bellwether does not answer/)).toBeVisible()
    fake.events = [makeEvent({ seq: 1_000_001, title: 'Missed' })]
    fake.run()
    expect(await screen.findByText('1,000,001 events')).toBeVisible()
    await waitFor(() => expect(titles()).toEqual(before))
    expect(detail().getByRole('heading', { name: 'Event 3' })).toBeVisible()
    await person.click(screen.getByRole('button', { name: '1 new event' }))
    await waitFor(() => expect(titles()[0]).toBe('Missed'))
  })

  test('tells a flood calmly to those who cannot see it', async () => {
    const { fake } = await open()
    for (let seq = 10; seq < 60; seq++) fake.arrive(makeEvent({ seq, feed: 'mail', title: `New ${seq}` }))
    await waitFor(() => expect(screen.getByText('50 new events', { selector: '[aria-live]' })).toBeInTheDocument())
  })

  test('shares its width with what is read, as a person likes', async () => {
    const { person } = await open()
    const splitter = screen.getByRole('separator', { name: 'Width of the list' })
    expect(splitter).toHaveAttribute('aria-valuenow', '45')
    splitter.focus()
    await person.keyboard('{ArrowRight}{ArrowRight}')
    expect(splitter).toHaveAttribute('aria-valuenow', '49')
    expect(localStorage.getItem('events.split')).toBe('49')
    await person.keyboard('{End}')
    expect(splitter).toHaveAttribute('aria-valuenow', '75')
    await fireEvent.dblClick(splitter)
    expect(splitter).toHaveAttribute('aria-valuenow', '45')
  })

  test('that could not be fetched on says so, and goes on when asked', async () => {
    const fake = new Fake()
    fake.status.feeds = [makeFeed({ id: 'ops', name: 'Ops alerts' })]
    fake.made = { count: 1000, make: (seq) => makeEvent({ seq, read: true }) }
    const { person, container } = await open(fake)
    await screen.findByText('1,000 events')
    const answer = fake.request.bind(fake)
    let broken = true
    fake.request = async (method, path, body) => {
      if (broken && path.includes('before=')) throw new Failure('event_log', 'disk I/O error', 'disk I/O error')
      return answer(method, path, body)
    }
    const list = container.querySelector('.list') as HTMLElement
    list.scrollTop = 500 * 76
    await fireEvent.scroll(list)
    expect(await screen.findByText('The event log failed: disk I/O error')).toBeVisible()
    broken = false
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    await waitFor(() => expect(titles()).toContain('Event 500'))
    expect(screen.queryByText('The event log failed: disk I/O error')).toBeNull()
    expect(rail().getByText('Ops alerts')).toBeVisible()
  })
})
