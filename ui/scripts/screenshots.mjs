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
  rules: { query: 'rules', place: '/feeds/ops/rules' },
  'rules-first': { query: 'rules-first', place: '/feeds/ops/rules' },
  'rules-edit': { query: 'rules', place: '/feeds/ops/rules?rule=1' },
  'rules-mistake': { query: 'rules', place: '/feeds/ops/rules?rule=4', steps: [(page) => page.locator('.template input').first().fill('{{ data.title }} on {{ dta.host }}'), (page) => page.locator('mark').waitFor()] },
  'rules-text': { query: 'rules', place: '/feeds/ops/rules?rule=3', steps: [(page) => page.locator('.fold').click()] },
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
      for (const [name, { query, feed, place = '', narrowOnly, steps = [] }] of Object.entries(scenes)) {
        if ((wanted.length > 0 && !wanted.includes(name)) || (narrowOnly && width > 720)) continue
        await page.goto(`${address}?scene=${query}&locale=${locale}${place && `#${place}`}`)
        await page.locator('main').first().waitFor()
        await page.waitForTimeout(query === 'offline' ? 600 : 150)
        if (place) await page.waitForTimeout(500)
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
