// Pictures of the window in every language, theme and width, from the made-up program of `transport/showcase.ts`:
// `npm run screenshots -- FOLDER [SCENE…]`. Needs a Chromium; `CHROMIUM` says where, if not /usr/bin/chromium.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'

const [folder = 'screenshots', ...wanted] = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = fileURLToPath(new URL('../node_modules/.showcase', import.meta.url))

const row = (text) => async (page) => page.getByRole('option').filter({ hasText: text }).first().click()
const press = (key) => async (page) => page.keyboard.press(key)

const scenes = {
  million: { query: 'million', steps: [(page) => page.locator('.list').evaluate((list) => (list.scrollTop = list.scrollHeight / 2)), (page) => page.locator('.list .waiting').first().waitFor({ state: 'detached' })] },
  search: { query: 'million', steps: [(page) => page.locator('input[type=search]').fill('load web'), (page) => page.locator('mark').first().waitFor(), row('Load on web-3')] },
  filter: { query: 'million', steps: [(page) => page.locator('.bar > .place > .button').click(), (page) => page.getByRole('checkbox').nth(4).check(), (page) => page.locator('.pill').last().click()] },
  chips: { query: 'million', steps: [(page) => page.evaluate(() => (location.hash = '#/events?event=build&outcome=shown,logged&time=7d')), (page) => page.waitForTimeout(1500)] },
  nothing: { query: 'log', steps: [(page) => page.locator('input[type=search]').fill('zebra'), (page) => page.waitForTimeout(400)] },
  selection: { query: 'log', wideOnly: true, steps: [row('db-2'), press('J'), press('J'), press('J')] },
  hostile: { query: 'hostile', steps: [row('onerror')] },
  large: { query: 'hostile', steps: [row('One mebibyte'), (page) => page.locator('#tab-raw').click()] },
  start: { query: 'start' },
  offline: { query: 'offline' },
  broken: { query: 'broken' },
  empty: { query: 'empty' },
  log: { query: 'log', steps: [row('db-2')] },
  chinese: { query: 'log', steps: [row('302')] },
  list: { query: 'parts' },
  raw: { query: 'log', steps: [row('db-2'), (page) => page.locator('#tab-raw').click()] },
  why: { query: 'log', steps: [row('git.example.org'), (page) => page.locator('#tab-why').click()] },
  held: { query: 'calm', feed: 'mail', steps: [row('Quarterly'), (page) => page.locator('#tab-why').click()] },
  muted: { query: 'calm', feed: 'ops' },
  snooze: { query: 'calm', feed: 'mail', steps: [(page) => page.locator('.menu-place .button').click()] },
  quiet: { query: 'quiet' },
  summary: { query: 'calm', steps: [(page) => page.evaluate(() => globalThis.fake.emit({ kind: 'open_window', value: { summary: 900 } }))] },
  waiting: { query: 'log', feed: 'ci' },
  attention: { query: 'log', feed: 'shop' },
  add: {
    query: 'log',
    steps: [
      press('n'),
      (page) => page.locator('#feed-url').fill('ftp://example.org/feed'),
      press('Enter'),
      (page) => page.locator('#feed-url-wrong span').waitFor(),
    ],
  },
  edit: { query: 'log', feed: 'mail', steps: [(page) => page.locator('.actions .button').nth(2).click()] },
  remove: { query: 'log', feed: 'mail', steps: [(page) => page.locator('.actions .button').nth(3).click()] },
  rail: { query: 'log', narrowOnly: true, steps: [(page) => page.locator('.menu').click()] },
}

const showFeed = async (page, name) => {
  const menu = page.locator('.menu')
  if (await menu.isVisible()) await menu.click()
  const names = { ci: 'CI builds', shop: 'Shop orders', mail: 'Mail', ops: 'Ops alerts' }
  await page.getByRole('navigation').getByText(names[name], { exact: true }).click()
}

await build({ root, mode: 'showcase', logLevel: 'warn', build: { outDir, emptyOutDir: true } })
const server = await preview({ root, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
const address = `http://127.0.0.1:${server.httpServer.address().port}/`
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
mkdirSync(folder, { recursive: true })

for (const [width, height] of [[1100, 720], [480, 720]]) {
  for (const colorScheme of ['light', 'dark']) {
    for (const locale of ['en', 'zh-CN']) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
      page.on('pageerror', (error) => console.error(error))
      for (const [name, { query, feed, narrowOnly, wideOnly, steps = [] }] of Object.entries(scenes)) {
        if ((wanted.length > 0 && !wanted.includes(name)) || (narrowOnly && width > 720) || (wideOnly && width < 720)) continue
        // Each scene begins at the log, wherever the one before it ended.
        await page.goto(`${address}?scene=${query}&locale=${locale}&name=${name}#/events`)
        await page.locator('main').first().waitFor()
        await page.waitForTimeout(query === 'offline' ? 600 : 150)
        if (feed) await showFeed(page, feed)
        for (const step of steps) await step(page)
        await page.waitForTimeout(250)
        await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${locale}-${width}.png` })
      }
      await page.close()
    }
  }
}
await browser.close()
await new Promise((resolve) => server.httpServer.close(resolve))
