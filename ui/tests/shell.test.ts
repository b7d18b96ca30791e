import { screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import { makeEvent } from '../src/transport/fake/fake'
import { Failure, inTime, limit } from '../src/transport/transport'
import { match } from '../src/views/shell/match'
import { openWindow, rail, titles, twoFeeds } from './window'

const palette = () => within(screen.getByRole('dialog', { name: 'All commands' }))
const options = () => palette().getAllByRole('option').map((option) => option.querySelector('.label')?.textContent)

async function openPalette() {
  const opened = await openWindow(twoFeeds())
  await screen.findByText('Disk almost full')
  await opened.person.keyboard('{Control>}k{/Control}')
  return opened
}

describe('the palette', () => {
  test('lists commands, feeds and settings, and goes there by the keyboard alone', async () => {
    const { person } = await openPalette()
    const field = palette().getByRole('combobox')
    expect(field).toHaveFocus()
    expect(options()).toEqual(expect.arrayContaining(['All events', 'Add a feed', 'Ops alerts', 'Mail', 'Quiet hours']))
    await person.keyboard('qui')
    expect(options()[0]).toBe('Quiet hours')
    expect(palette().getByRole('option', { selected: true })).toHaveTextContent('Quiet hours')
    expect(field).toHaveAttribute('aria-activedescendant', palette().getByRole('option', { selected: true }).id)
    await person.keyboard('{Enter}')
    expect(await screen.findByRole('heading', { name: 'Quiet hours' })).toHaveFocus()
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  test('arrows go round, Escape closes and gives the focus back', async () => {
    const { person } = await openPalette()
    const all = options().length
    await person.keyboard('{ArrowUp}')
    expect(palette().getAllByRole('option')[all - 1]).toHaveAttribute('aria-selected', 'true')
    await person.keyboard('{ArrowDown}')
    expect(palette().getAllByRole('option')[0]).toHaveAttribute('aria-selected', 'true')
    await person.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })

  test('searches the log for whatever was typed', async () => {
    const { person } = await openPalette()
    await person.keyboard('disk 94')
    expect(options()).toEqual(['Search the log for “disk 94”'])
    await person.keyboard('{Enter}')
    await waitFor(() => expect(location.hash).toBe('#/events?search=disk+94'))
  })

  test('shows the keys of what it lists, and runs it by the pointer too', async () => {
    const { person } = await openPalette()
    const add = palette().getByRole('option', { name: /^Add a feed/ })
    expect(add).toHaveTextContent('N')
    await person.click(add)
    expect(await screen.findByRole('dialog', { name: 'Add a feed' })).toBeVisible()
  })

  test('a feed’s name is text', async () => {
    const fake = twoFeeds()
    fake.change('ops', { name: '<img src=x onerror=alert(1)>\u202E' })
    const { person } = await openWindow(fake)
    await screen.findByText('Disk almost full')
    await person.keyboard('{Control>}k{/Control}img')
    expect(options()[0]).toContain('<img')
    expect(document.querySelector('dialog img')).toBeNull()
  })

  test.each([
    ['qh', 'Quiet hours', true],
    ['quho', 'Quiet hours', true],
    ['QUIET', 'quiet hours', true],
    ['cafe', 'Café', true],
    ['免打扰', '免打扰时段', true],
    ['hq', 'Quiet hours', false],
    ['x', '', false],
  ])('“%s” is looked for in “%s”', (wanted, text, found) => {
    expect(match(wanted, text) !== null).toBe(found)
  })

  test('what begins a word stands before what lies within one', () => {
    const score = (text: string) => match('log', text)?.score ?? 0
    expect(score('Log')).toBeGreaterThan(score('Event log'))
    expect(score('Event log')).toBeGreaterThan(score('Catalogue'))
    expect(score('Catalogue')).toBeGreaterThan(score('Load on gateway'))
  })
})

describe('the sheet of keys', () => {
  test('names the keys of every view, by group, and those that do the same once', async () => {
    location.hash = '#/settings/about'
    const { person } = await openWindow(twoFeeds())
    await screen.findByRole('heading', { name: 'About' })
    await person.keyboard('?')
    const sheet = within(screen.getByRole('dialog', { name: 'Keys' }))
    expect(sheet.getByRole('heading', { name: 'Events' })).toBeVisible()
    const move = sheet.getByText('next, previous event').closest('div') as HTMLElement
    expect([...move.querySelectorAll('kbd kbd')].map((cap) => cap.textContent)).toEqual(['J', '↓', 'K', '↑'])
    expect(sheet.getByText('Settings').closest('div')).toHaveTextContent('Ctrl+,')
    await person.keyboard('{Escape}')
  })
})

describe('the focus', () => {
  test('goes along when a place is gone to by the keyboard, and stays by the pointer', async () => {
    const { person } = await openWindow(twoFeeds())
    const mail = (await rail().findByText('Mail')).closest('button, a') as HTMLElement
    mail.focus()
    await person.keyboard('{Enter}')
    expect(await screen.findByRole('heading', { name: 'Mail' })).toHaveFocus()
    await person.click(rail().getByText('Settings'))
    await screen.findByRole('heading', { name: 'Notifications' })
    expect(screen.getByRole('heading', { name: 'Notifications' })).not.toHaveFocus()
  })

  test('skips the rail by the first link', async () => {
    const { person } = await openWindow(twoFeeds())
    await screen.findByText('Disk almost full')
    await person.tab()
    expect(screen.getByRole('link', { name: 'Skip to the content' })).toHaveFocus()
    await person.keyboard('{Enter}')
    expect(screen.getByRole('main')).toHaveFocus()
    expect(location.hash).toBe('#/events')
  })
})

describe('the window', () => {
  test('is named after its place', async () => {
    const { person } = await openWindow(twoFeeds())
    await person.click(await rail().findByText('Mail'))
    await waitFor(() => expect(document.title).toBe('(1) Mail · Bellwether'))
  })

  test('opens where it was left', async () => {
    localStorage.setItem('place', '#/settings/backup')
    await openWindow(twoFeeds())
    expect(await screen.findByRole('heading', { name: 'Backup' })).toBeVisible()
  })

  test('keeps what is being typed, and says so, when the program restarts under it', async () => {
    const { person, fake } = await openWindow(twoFeeds())
    await screen.findByText('Disk almost full')
    const search = screen.getByRole('searchbox')
    await person.type(search, 'Ingr')
    await waitFor(() => expect(titles()).toEqual(['Ingrid']))
    fake.stop()
    expect(await screen.findByText(/^Bellwether does not answer/)).toBeVisible()
    expect(search).toHaveValue('Ingr')
    expect(search).toHaveFocus()
    fake.events = [makeEvent({ seq: 4, feed: 'mail', title: 'Ingrid again' }), ...fake.events]
    fake.run()
    expect(await screen.findByText('Bellwether answers again.')).toBeVisible()
    await waitFor(() => expect(titles()).toEqual(['Ingrid again', 'Ingrid']))
    expect(search).toHaveValue('Ingr')
  })
})

describe('a request', () => {
  test('that gets no answer ends with a failure of its own', async () => {
    vi.useFakeTimers()
    try {
      const answer = inTime('/feeds', new Promise(() => {}))
      const caught = answer.catch((thrown: unknown) => thrown)
      await vi.advanceTimersByTimeAsync(limit('/feeds'))
      expect(await caught).toBeInstanceOf(Failure)
      expect(await caught).toMatchObject({ code: 'timeout' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('has longer where files are written and read', () => {
    expect([limit('/status'), limit('/probe'), limit('/import'), limit('/events/export')]).toEqual([30_000, 20_000, 600_000, 600_000])
  })

  test('hands its answer or failure on', async () => {
    await expect(inTime('/feeds', Promise.resolve(7))).resolves.toBe(7)
    await expect(inTime('/feeds', Promise.reject(new Failure('conflict')))).rejects.toMatchObject({ code: 'conflict' })
  })
})
