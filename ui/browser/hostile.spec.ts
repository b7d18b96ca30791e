import { row, rows } from './harness/room'
import { expect, test } from './harness/test'

const SCRIPT = '<script>document.title = "hit"; alert(1)</script>'
const IMAGE = '<img src="http://127.0.0.1:9/x.png" onerror="alert(2)">'
const OVERRIDE = '\u202Egpj.exe\u202C'
const LINK = 'javascript:alert(3)'

test('what an event brings along stays text', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open()
  ops.send('<b>type</b>', {
    title: `hostile ${SCRIPT}${IMAGE}${OVERRIDE} end`,
    message: `<a href="${LINK}">link</a> ${IMAGE}`,
    url: LINK,
    click: LINK,
    image: 'http://127.0.0.1:9/picture.png',
  })
  ops.send('message', { title: 'harmless' })
  await expect(row(page, 'harmless')).toBeVisible()
  await expect(row(page, 'hostile')).toContainText('<script>')
  await row(page, 'hostile').click()
  for (const tab of ['why', 'raw', 'rendered']) {
    await page.getByRole('tab', { name: say(`ui.detail.${tab}`) }).click()
    await expect(page.getByRole('tab', { name: say(`ui.detail.${tab}`) })).toHaveAttribute('aria-selected', 'true')
    await expect(page.getByRole('tabpanel')).toContainText('onerror')
    await expect(page.locator('#app script, #app img, #app b, #app iframe, #app object')).toHaveCount(0)
    // Nothing to be clicked on leads out of the window, let alone into a script.
    for (const link of await page.locator('#app a[href]').all()) expect(await link.getAttribute('href')).toMatch(/^#(\/|main$)/)
  }
  await expect(page).not.toHaveTitle(/hit/)
})

test('what changes the direction of text ends with its event', async ({ open, page, program, source }) => {
  const ops = await source()
  await program.add('ops', ops.url, { name: `Ops ${OVERRIDE.slice(0, -1)}` })
  ops.send('message', { title: `before \u202E evil \u2066 never closed`, message: '\u202E body' })
  ops.send('message', { title: 'next' })
  await program.event('next')
  await open()
  const evil = row(page, 'never closed')
  await expect(evil).toBeVisible()
  // Each text of a stranger's stands alone: an element that isolates what is in it, so that its neighbours keep their order.
  const bare = await evil.evaluate((row) => {
    const texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (!/[\u202A-\u202E\u2066-\u2069]/.test(text.textContent ?? '')) continue
      let parent = text.parentElement
      while (parent && parent !== row && !/isolate|plaintext/.test(getComputedStyle(parent).unicodeBidi)) parent = parent.parentElement
      if (!parent || parent === row) found.push(text.textContent ?? '')
    }
    return found
  })
  expect(bare).toEqual([])
})

test('an event of almost 1 MiB is readable, and the list goes on scrolling', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  for (let number = 1; number <= 60; number++) ops.send('message', { title: `small ${number}` })
  ops.send('message', { title: 'large', message: 'x'.repeat(400_000), more: 'word '.repeat(125_000), last: 'the end' })
  await program.event('large')
  await open()
  await row(page, 'large').click()
  await page.getByRole('tab', { name: say('ui.detail.raw') }).click()
  await page.getByRole('button', { name: say('ui.detail.raw_all') }).click()
  await expect(page.getByRole('tabpanel')).toContainText('the end')
  await rows(page).first().hover()
  await page.mouse.wheel(0, 100_000)
  await expect(row(page, 'small 1').filter({ hasText: /small 1(?!\d)/ })).toBeVisible()
})
