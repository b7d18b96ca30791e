import { screen, waitFor } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import { makeEvent } from '../src/transport/fake/fake'
import { openWindow, titles, twoFeeds } from './window'

const rows = (...expected: string[]) => waitFor(() => expect(titles()).toEqual(expected))

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
})
