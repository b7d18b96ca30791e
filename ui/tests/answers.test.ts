import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import { localDay } from '../src/lib/rows'
import { FeedPage } from '../src/stores/feed-page.svelte'
import { Feeds } from '../src/stores/feeds.svelte'
import { Resident } from '../src/stores/resident.svelte'
import { SettingsStore } from '../src/stores/settings.svelte'
import type { Fake } from '../src/transport/fake/fake'
import LiveField from '../src/views/feeds/LiveField.svelte'
import LiveSwitch from '../src/views/feeds/LiveSwitch.svelte'
import { twoFeeds } from './window'

/** A window's store of a made-up program, which answers these questions as they were answered when asked, once let go. */
async function heldBack(question: string, fake = twoFeeds()) {
  const resident = new Resident(fake)
  const listener = { fresh() {}, arrived() {}, changed() {}, connection() {}, open() {} }
  const stop = resident.start(listener)
  await waitFor(() => expect(resident.online).toBe(true))
  const late: (() => void)[] = []
  const answer = fake.request.bind(fake)
  fake.request = async <T>(...asked: Parameters<Fake['request']>) => {
    const value = structuredClone(await answer<T>(...asked))
    if (`${asked[0]} ${asked[1]}` === question) await new Promise<void>((resolve) => late.push(resolve))
    return value
  }
  return { fake, resident, late, stop }
}

describe('an answer that is older than what was told since', () => {
  test('does not take feeds back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'], shouldAdvanceTime: false })
    try {
      const { fake, resident, late, stop } = await heldBack('GET /feeds')
      vi.advanceTimersByTime(60_000)
      await vi.waitFor(() => expect(late).toHaveLength(1))
      fake.change('ops', { muted: true })
      late[0]?.()
      await new Promise((resolve) => setTimeout(resolve))
      expect(resident.feed('ops')?.muted).toBe(true)
      stop()
    } finally {
      vi.useRealTimers()
    }
  })

  test('does not take a setting back', async () => {
    const { resident, late, stop } = await heldBack('GET /settings')
    const settings = new SettingsStore(resident)
    const loading = settings.load()
    await waitFor(() => expect(late).toHaveLength(1))
    settings.set('sound', false)
    await waitFor(() => expect(settings.doing('sound').state).toBe('done'))
    late[0]?.()
    await waitFor(() => expect(late).toHaveLength(2))
    late[1]?.()
    await loading
    expect(settings.value?.sound).toBe(false)
    stop()
  })

  test('does not take a feed’s setting back', async () => {
    const { resident, late, stop } = await heldBack('GET /feeds/ops/settings')
    const page = new FeedPage(new Feeds(resident), 'ops')
    const old = page.loadSettings()
    await waitFor(() => expect(late).toHaveLength(1))
    const changing = page.change({ images: true, proxy: 'http://proxy.example.org' })
    await waitFor(() => expect(late).toHaveLength(2))
    late[1]?.()
    await changing
    late[0]?.()
    await old
    expect(page.settings?.proxy).toBe('http://proxy.example.org')
    stop()
  })

  test('leaves a switch as it was switched last', async () => {
    const saved: boolean[] = []
    const late: (() => void)[] = []
    const save = async (on: boolean) => {
      saved.push(on)
      await new Promise<void>((resolve) => late.push(resolve))
    }
    render(LiveSwitch, { label: 'Mute', checked: false, save })
    const mute = screen.getByRole('switch', { name: 'Mute' })
    await fireEvent.click(mute)
    await fireEvent.click(mute)
    expect(saved).toEqual([true])
    late[0]?.()
    await waitFor(() => expect(saved).toEqual([true, false]))
    expect(mute).not.toBeChecked()
    late[1]?.()
  })
})

test('an Enter that takes what an input method proposes applies nothing', async () => {
  const save = vi.fn(() => Promise.resolve())
  render(LiveField, { label: 'Name', value: 'a', save })
  const name = screen.getByRole('textbox', { name: 'Name' })
  await fireEvent.input(name, { target: { value: 'ｂ' } })
  await fireEvent.keyDown(name, { key: 'Enter', isComposing: true })
  await fireEvent.keyDown(name, { key: 'Enter', keyCode: 229 })
  expect(save).not.toHaveBeenCalled()
  await fireEvent.keyDown(name, { key: 'Enter' })
  expect(save).toHaveBeenCalledWith('ｂ')
})

test('a day begins at midnight where clocks go by quarters of an hour, too', () => {
  vi.stubEnv('TZ', 'Asia/Kathmandu')
  try {
    expect(localDay('2026-11-20T18:14:59.000Z')).toBe('2026-11-20')
    expect(localDay('2026-11-20T18:15:00.000Z')).toBe('2026-11-21')
  } finally {
    vi.unstubAllEnvs()
  }
})
