import { fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test, vi } from 'vitest'
import type { QuietHours } from '../src/generated/QuietHours'
import { begun, behind, blocks, drawn, ended, moved, overlaps, overMidnight, runs } from '../src/lib/week'
import { openWindow, twoFeeds } from './window'

const range = (days: QuietHours['days'], from: string, to: string, time_zone: string | null = null): QuietHours => ({ days, from, to, time_zone })
const cut = (ranges: QuietHours[], shift?: (range: QuietHours) => number) =>
  blocks(ranges, shift).map(({ day, from, to, head, tail }) => [day, from, to, head, tail])

describe('a week', () => {
  test.each([
    ['within a day', range(['tue'], '12:00', '13:30'), [[1, 720, 810, true, true]]],
    ['to midnight', range(['tue'], '22:00', '00:00'), [[1, 1320, 1440, true, true]]],
    ['over midnight', range(['tue'], '22:00', '07:00'), [[1, 1320, 1440, true, false], [2, 0, 420, false, true]]],
    ['from Sunday into Monday', range(['sun'], '22:00', '07:00'), [[6, 1320, 1440, true, false], [0, 0, 420, false, true]]],
    ['a whole day', range(['wed'], '00:00', '00:00'), [[2, 0, 1440, true, true]]],
    ['a day from noon', range(['wed'], '12:00', '12:00'), [[2, 720, 1440, true, false], [3, 0, 720, false, true]]],
  ])('a range %s is cut into rows', (_, quiet, expected) => {
    expect(cut([quiet])).toEqual(expected)
  })

  test('a range by another clock stands where the own clock has it', () => {
    expect(cut([range(['mon'], '01:00', '02:00')], () => -120)).toEqual([[6, 1380, 1440, true, true]])
    const winter = new Date('2026-01-15T12:00:00Z')
    expect(behind('America/New_York', 'Europe/Berlin', winter)).toBe(360)
    expect(behind('Asia/Kolkata', 'UTC', winter)).toBe(-330)
    expect(behind('Nowhere/At_all', 'UTC', winter)).toBe(0)
  })

  test('ranges that hold at the same time are found, over midnight too', () => {
    const night = range(['mon'], '22:00', '07:00')
    expect(overlaps([night, range(['tue'], '06:00', '08:00')])).toEqual([[0, 1]])
    expect(overlaps([night, range(['tue'], '07:00', '08:00')])).toEqual([])
    expect(overlaps([night, range(['mon'], '21:00', '22:00'), range(['tue'], '00:00', '00:00')])).toEqual([[0, 2]])
    expect(blocks([night, range(['tue'], '06:00', '08:00')]).map(({ over }) => over)).toEqual([false, true, true])
  })

  test('a range is drawn in quarters of an hour, in any direction', () => {
    expect(drawn({ day: 0, minute: 1322 }, { day: 2, minute: 1199 })).toEqual(range(['mon', 'tue', 'wed'], '20:00', '22:00'))
    expect(drawn({ day: 3, minute: 600 }, { day: 3, minute: 600 })).toEqual(range(['thu'], '10:00', '10:15'))
    expect(drawn({ day: 6, minute: 1436 }, { day: 6, minute: 1440 })).toEqual(range(['sun'], '23:45', '00:00'))
  })

  test('a range is moved and stretched, to other days if need be', () => {
    const night = range(['mon', 'sun'], '22:00', '07:00')
    expect(moved(night, 61)).toEqual(range(['mon', 'sun'], '23:00', '08:00'))
    expect(moved(night, 180)).toEqual(range(['mon', 'tue'], '01:00', '10:00'))
    expect(moved(range(['mon'], '00:30', '02:00'), -60)).toEqual(range(['sun'], '23:30', '01:00'))
    expect(begun(night, -30)).toEqual(range(['mon', 'sun'], '21:30', '07:00'))
    expect(begun(night, 10_000)).toEqual(range(['mon', 'tue'], '06:45', '07:00'))
    expect(ended(night, 60)).toEqual(range(['mon', 'sun'], '22:00', '08:00'))
    expect(ended(night, -10_000)).toEqual(range(['mon', 'sun'], '22:00', '22:15'))
    expect(ended(night, 10_000)).toEqual(range(['mon', 'sun'], '22:00', '22:00'))
  })

  test('days are said together where three or more follow one another', () => {
    expect(runs(['sun', 'mon', 'tue', 'wed', 'thu'])).toEqual([['mon', 'thu'], ['sun', 'sun']])
    expect(runs(['sat', 'sun'])).toEqual([['sat', 'sat'], ['sun', 'sun']])
    expect(overMidnight(range(['mon'], '22:00', '00:00'))).toBe(false)
    expect(overMidnight(range(['mon'], '22:00', '22:00'))).toBe(true)
  })
})

const NIGHTS = 'Mon–Thu and Sun 10:00 PM–7:00 AM on the next day'

async function openWeek(ranges?: QuietHours[]) {
  const fake = twoFeeds()
  if (ranges) fake.settings.quiet_hours = ranges
  location.hash = '#/settings/quiet-hours'
  const opened = await openWindow(fake)
  const picture = await screen.findByRole('img')
  const grid = picture.querySelector('.grid') as HTMLElement
  // A pixel is a quarter of an hour; a row has ten.
  vi.spyOn(grid, 'getBoundingClientRect').mockReturnValue({ left: 0, top: 0, width: 96, height: 70 } as DOMRect)
  const at = (day: number, hour: number) => ({ clientX: hour * 4, clientY: day * 10 + 5, pointerId: 1, button: 0, bubbles: true })
  const drag = async (target: Element, from: [number, number], to: [number, number]) => {
    await fireEvent.pointerDown(target, at(...from))
    await fireEvent.pointerMove(grid, at(...to))
    await fireEvent.pointerUp(grid, at(...to))
  }
  return { ...opened, fake, picture, grid, at, drag }
}

describe('quiet hours', () => {
  test('are said in words to those who do not see the picture', async () => {
    const { picture } = await openWeek()
    expect(picture).toHaveAccessibleName(new RegExp(`^The week with its quiet hours: ${NIGHTS}; Fri and Sat 11:30 PM`))
    expect(screen.getByText(NIGHTS)).toBeVisible()
  })

  test('are drawn on the picture', async () => {
    const { fake, grid, drag } = await openWeek([])
    expect(screen.getByText(/^No quiet hours/)).toBeVisible()
    await drag(grid, [0, 12], [4, 13.5])
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([range(['mon', 'tue', 'wed', 'thu', 'fri'], '12:00', '13:30')]))
    // What was drawn can be made exact at once.
    expect(await screen.findByRole('group', { name: 'A range of quiet hours' })).toBeVisible()
    // A press without a drag draws nothing.
    await drag(grid, [6, 3], [6, 3])
    expect(fake.settings.quiet_hours).toHaveLength(1)
  })

  test('are moved and stretched on the picture, over midnight too', async () => {
    const { fake, drag } = await openWeek([range(['mon'], '20:00', '22:00')])
    await drag(document.querySelector('[data-block]') as Element, [0, 21], [0, 20])
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([range(['mon'], '19:00', '21:00')]))
    await drag(document.querySelector('[data-edge=end]') as Element, [0, 21], [1, 6])
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([range(['mon'], '19:00', '06:00')]))
    await drag(document.querySelector('[data-edge=begin]') as Element, [0, 19], [0, 22.5])
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([range(['mon'], '22:30', '06:00')]))
  })

  test('a drag is let go by Escape', async () => {
    const { fake, grid, at } = await openWeek([])
    await fireEvent.pointerDown(grid, at(0, 12))
    await fireEvent.pointerMove(grid, at(0, 18))
    expect(document.querySelector('[data-block]')).not.toBeNull()
    await fireEvent.keyDown(document.body, { key: 'Escape' })
    await fireEvent.pointerUp(grid, at(0, 18))
    expect(document.querySelector('[data-block]')).toBeNull()
    expect(fake.settings.quiet_hours).toEqual([])
  })

  test('are added, changed and removed by the keyboard alone', async () => {
    const { person, fake } = await openWeek([])
    screen.getByRole('button', { name: 'Add quiet hours' }).focus()
    await person.keyboard('{Enter}')
    const form = within(await screen.findByRole('group', { name: 'A range of quiet hours' }))
    expect(form.getByRole('checkbox', { name: 'Monday' })).toHaveFocus()
    await person.keyboard(' {Tab}{Tab} ')
    await waitFor(() => expect(fake.settings.quiet_hours[0]?.days).toEqual(['tue', 'thu', 'fri', 'sat', 'sun']))
    await fireEvent.change(form.getByLabelText('From'), { target: { value: '23:15' } })
    await person.selectOptions(form.getByLabelText('Time zone'), 'Asia/Tokyo')
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([range(['tue', 'thu', 'fri', 'sat', 'sun'], '23:15', '07:00', 'Asia/Tokyo')]))
    await person.keyboard('{Escape}')
    expect(screen.queryByRole('group', { name: 'A range of quiet hours' })).toBeNull()
    expect(screen.getByRole('button', { name: /^Edit Tue/ })).toHaveFocus()
    await person.tab()
    await person.keyboard('{Enter}')
    await waitFor(() => expect(fake.settings.quiet_hours).toEqual([]))
    await person.click(screen.getByRole('button', { name: 'Undo' }))
    await waitFor(() => expect(fake.settings.quiet_hours).toHaveLength(1))
  })

  test('that come back leave those alone that came since', async () => {
    const { person, fake, grid, drag } = await openWeek([range(['mon'], '12:00', '13:00'), range(['tue'], '12:00', '13:00')])
    await person.click(screen.getByRole('button', { name: /^Remove .*Mon/ }))
    await waitFor(() => expect(fake.settings.quiet_hours).toHaveLength(1))
    await drag(grid, [4, 12], [4, 13])
    await waitFor(() => expect(fake.settings.quiet_hours).toHaveLength(2))
    await person.click(screen.getByRole('button', { name: 'Undo' }))
    await waitFor(() => expect(fake.settings.quiet_hours.map(({ days }) => days)).toEqual([['mon'], ['tue'], ['fri']]))
    // The form that is open is still that of the same range.
    expect(screen.getByRole('checkbox', { name: 'Friday' })).toBeChecked()
  })

  test('without a day or a time are not taken, and it is said why', async () => {
    const { person, fake } = await openWeek([range(['mon'], '22:00', '07:00')])
    await person.click(screen.getByRole('button', { name: /^Edit Mon/ }))
    const monday = screen.getByRole('checkbox', { name: 'Monday' })
    await person.click(monday)
    expect(screen.getByText(/^It needs at least one day/)).toBeVisible()
    expect(monday).toBeChecked()
    await fireEvent.change(screen.getByLabelText('To'), { target: { value: '' } })
    expect(screen.getByText('A time is missing.')).toBeVisible()
    expect(fake.requests.some(({ line }) => line.startsWith('PATCH'))).toBe(false)
  })

  test('that overlap say so', async () => {
    await openWeek([range(['mon'], '22:00', '07:00'), range(['tue'], '06:00', '08:00')])
    expect(screen.getByText(/^Overlaps with Tue/)).toBeVisible()
    expect(screen.getByText('ranges overlap')).toBeVisible()
    expect(document.querySelectorAll('.block.over')).toHaveLength(2)
  })
})
