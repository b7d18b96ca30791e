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
const look = (url) => async (page) => {
  await page.locator('input[type=url]').fill(url)
  await page.locator('input[type=url]').press('Enter')
}
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
  snooze: { query: 'calm', feed: 'mail', steps: [(page) => page.getByRole('main').locator('header .menu-place .button').first().click()] },
  quiet: { query: 'quiet' },
  summary: { query: 'calm', steps: [(page) => page.evaluate(() => globalThis.fake.emit({ kind: 'open_window', value: { summary: 900 } }))] },
  waiting: { query: 'log', feed: 'ci' },
  attention: { query: 'log', feed: 'shop' },
  'add-found': { query: 'log', steps: [press('n'), look('https://ntfy.example.org/builds/sse'), (page) => page.locator('.box.good').waitFor()] },
  'add-private': { query: 'log', steps: [press('n'), look('https://private.example.org/events'), (page) => page.locator('fieldset').waitFor()] },
  'add-advanced': { query: 'log', steps: [press('n'), look('https://selfsigned.example.org/events'), (page) => page.locator('details[open]').waitFor()] },
  'add-looking': {
    query: 'log',
    steps: [(page) => page.evaluate(() => globalThis.fake.on('POST', '/probe', () => new Promise(() => {}))), press('n'), look('https://slow.example.org/events')],
  },
  'start-found': { query: 'start', steps: [look('https://ntfy.example.org/builds/sse'), (page) => page.locator('.box.good').waitFor()] },
  'start-parts': { query: 'start-parts' },
  groups: { query: 'groups' },
  overview: { query: 'groups', place: '#/feeds/mail' },
  'overview-waiting': { query: 'groups', place: '#/feeds/ci' },
  'overview-attention': { query: 'groups', place: '#/feeds/shop' },
  'overview-advanced': { query: 'groups', place: '#/feeds/ci', steps: [(page) => page.locator('main details summary').click(), (page) => page.locator('.page').evaluate((box) => box.scrollTo(0, 9999))] },
  'feed-menu': { query: 'groups', steps: [(page) => page.locator('header .more, [data-feed=ops]').last().click({ button: 'right', force: true })] , wideOnly: true },
  settings: { query: 'log', hash: '#/settings' },
  'settings-notifications': { query: 'parts', hash: '#/settings/notifications' },
  'settings-quiet': { query: 'log', hash: '#/settings/quiet-hours' },
  'settings-quiet-form': {
    query: 'log',
    hash: '#/settings/quiet-hours',
    steps: [(page) => page.locator('#add-range').click(), (page) => page.locator('.form').scrollIntoViewIfNeeded()],
  },
  'settings-general': { query: 'log', hash: '#/settings/general' },
  'settings-log': { query: 'log', hash: '#/settings/log', steps: [(page) => page.getByRole('radio').nth(1).check({ force: true })] },
  'settings-ask': { query: 'log', hash: '#/settings/log', steps: [(page) => page.getByRole('radio').nth(3).check({ force: true }), press('Tab'), (page) => page.getByRole('spinbutton').fill('10000'), press('Enter'), (page) => page.locator('dialog').waitFor()] },
  'settings-backup': {
    query: 'log',
    hash: '#/settings/backup',
    steps: [
      (page) => page.locator('.button.main').click(),
      (page) => page.locator('input[type=file]').setInputFiles({ name: 'bellwether-2026-11-20-0915.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from('{}') }),
    ],
  },
  rules: { query: 'rules', place: '#/feeds/ops/rules' },
  'rules-first': { query: 'rules-first', place: '#/feeds/ops/rules' },
  'rules-edit': { query: 'rules', place: '#/feeds/ops/rules?rule=1' },
  'rules-mistake': { query: 'rules', place: '#/feeds/ops/rules?rule=4', steps: [(page) => page.locator('.template input').first().fill('{{ data.title }} on {{ dta.host }}'), (page) => page.locator('mark').waitFor()] },
  'rules-text': { query: 'rules', place: '#/feeds/ops/rules?rule=3', steps: [(page) => page.locator('.fold').click()] },
  'settings-file': { query: 'broken', hash: '#/settings/feeds-toml' },
  'settings-doctor': { query: 'broken', hash: '#/settings/diagnostics' },
  'settings-about': { query: 'log', hash: '#/settings/about', steps: [(page) => page.locator('summary').last().click()] },
  'settings-failed': {
    query: 'log',
    hash: '#/settings/notifications',
    steps: [(page) => page.getByRole('switch').first().waitFor(), (page) => page.evaluate(() => globalThis.fake.stop()), (page) => page.getByRole('switch').first().click()],
  },
  palette: { query: 'log', steps: [press('Control+k')] },
  'palette-search': { query: 'log', steps: [press('Control+k'), (page) => page.keyboard.type('mai')] },
  keys: { query: 'log', steps: [press('?')] },
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
      // Each scene begins without what another has left, unsaved or remembered.
      await page.addInitScript(() => {
        if (location.protocol === 'about:') return
        sessionStorage.clear()
        localStorage.clear()
      })
      page.on('pageerror', (error) => {
        console.error(error)
        process.exitCode = 1
      })
      for (const [name, { query, feed, place = '', hash = place, narrowOnly, wideOnly, steps = [] }] of Object.entries(scenes)) {
        if ((wanted.length > 0 && !wanted.includes(name)) || (narrowOnly && width > 720) || (wideOnly && width < 720)) continue
        await page.goto('about:blank')
        await page.goto(`${address}?scene=${query}&locale=${locale}${hash || '#/events'}`)
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
