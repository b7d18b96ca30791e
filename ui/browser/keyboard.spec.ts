import { expectList, row } from './harness/room'
import { expect, test } from './harness/test'

test('a whole session goes without a pointer', async ({ open, page, program, say, source }) => {
  const ops = await source()
  for (let number = 1; number <= 5; number++) ops.send('disk', { title: `event ${number}`, level: number })
  await open()
  // Add a feed.
  await expect(page.getByRole('textbox', { name: say('ui.form.url') })).toBeFocused()
  await page.keyboard.type(ops.url)
  await page.keyboard.press('Enter')
  await expect(page.getByText(say('ui.add.found'))).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(row(page, 'event 5')).toBeVisible()

  // Read events.
  const heading = page.getByRole('tabpanel').getByRole('heading', { level: 2 })
  await page.keyboard.press('j')
  await expect(heading).toHaveText('event 5')
  await page.keyboard.press('j')
  await expect(heading).toHaveText('event 4')
  await page.keyboard.press('k')
  await expect(heading).toHaveText('event 5')
  await page.keyboard.press('Escape')

  // Search.
  await page.keyboard.press('/')
  await page.keyboard.type('event 3')
  await expectList(page, ['event 3'])
  await page.keyboard.press('Escape')
  await expect(row(page, 'event 5')).toBeVisible()
  await page.keyboard.press('Escape')

  // Settings by the palette, and back.
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog', { name: say('ui.command.palette') })
  await expect(palette).toBeVisible()
  await page.keyboard.type(say('ui.settings.quiet_hours'))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: say('ui.settings.quiet_hours') })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.keyboard.type(say('ui.rail.all'))
  await page.keyboard.press('Enter')
  await expect(row(page, 'event 5')).toBeVisible()
  expect((await program.status()).feeds).toHaveLength(1)
})

test('the sheet of keys lists what each key does', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open()
  await page.keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: say('ui.command.keys') })
  await expect(sheet).toBeVisible()
  for (const key of ['J', 'K', '/', 'N']) await expect(sheet.getByText(key, { exact: true }).first()).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(sheet).toBeHidden()
})

test('each control that is reached by Tab shows that it has the focus', async ({ open, page, program, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  ops.send('message', { title: 'an event' })
  await program.event('an event')
  for (const place of ['#/events', '#/feeds/ops', '#/feeds/ops/rules', '#/settings/notifications']) {
    await open(place)
    await page.locator('h1').first().waitFor()
    const invisible: string[] = []
    for (let step = 0; step < 25; step++) {
      await page.keyboard.press('Tab')
      const plain = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement
        // The parts of a field for times are the browser's own, and so is their mark.
        if (!element || element === document.body || element.matches('[type=time], [type=datetime-local]')) return ''
        // What is drawn for it may be drawn on what stands for it in sight.
        const shown = [element, element.parentElement, element.closest('label')].filter((one) => one !== null)
        const marked = shown.some((one) => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
          return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
        })
        return marked ? '' : `${element.tagName} “${element.innerText || element.getAttribute('aria-label') || element.id}”`
      })
      if (plain) invisible.push(plain)
    }
    expect(invisible, place).toEqual([])
  }
})
