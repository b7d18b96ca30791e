import type { Locator, Page } from '@playwright/test'
import type { Source } from './harness/source'
import { row } from './harness/room'
import { expect, test, until, type Words } from './harness/test'

/** As many events as end a probe at once. */
function enoughForAProbe(source: Source): void {
  for (let number = 1; number <= 5; number++) source.send('disk', { title: `sample ${number}`, message: 'text' })
}

/** Lets nobody in who does not bring the token. */
function guarded(source: Source): Source {
  source.secret = 'Bearer s3cret-of-ours'
  enoughForAProbe(source)
  return source
}

/** Gives the address of a feed; the field in which its server's question for a token can be answered. */
async function tokenFor(page: Page, say: Words['say'], { url }: Source): Promise<Locator> {
  await page.getByRole('textbox', { name: say('ui.form.url') }).fill(url)
  return page.getByLabel(say('ui.access.token'), { exact: true })
}

/** The ids of the feeds as they stand in `feeds.toml`. */
const written = (toml: string) => [...toml.matchAll(/^id = "(.*)"/gm)].map(([, id]) => id)

const railFeed = (page: Page, name: string) => page.getByRole('navigation').first().getByRole('button').filter({ hasText: name }).first()

test('from nothing to the first event: paste an address, see what is there, add it', async ({ context, open, page, program, say, source }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const ops = await source()
  enoughForAProbe(ops)
  await open()
  await expect(page.getByRole('heading', { name: say('ui.start.title') })).toBeVisible()
  await page.evaluate((text) => navigator.clipboard.writeText(text), ops.url)
  await expect(page.getByRole('textbox', { name: say('ui.form.url') })).toBeFocused()
  await page.keyboard.press('Control+v')
  await expect(page.getByText(say('ui.add.found'))).toBeVisible()
  await expect(page.getByRole('list', { name: say('ui.add.types') })).toContainText('disk')
  await expect(page.getByRole('figure', { name: say('ui.add.sample') })).toContainText('sample 1')
  await page.getByRole('button', { name: say('ui.form.add'), exact: true }).click()
  await expect(row(page, 'sample 5')).toBeVisible()
  ops.send('disk', { title: 'the first of its own' })
  await expect(row(page, 'the first of its own')).toBeVisible()
  expect((await program.status()).feeds.map(({ url }) => url)).toEqual([ops.url])
})

test('a server that asks who is there is given a secret, which the keyring keeps', async ({ open, page, program, say, source }) => {
  const ops = guarded(await source())
  await open()
  const token = await tokenFor(page, say, ops)
  await token.fill('wrong')
  await token.press('Tab')
  await expect(page.getByRole('alert')).toBeVisible()
  await token.fill('s3cret-of-ours')
  await token.press('Tab')
  await expect(page.getByText(say('ui.add.found'))).toBeVisible()
  await page.getByRole('button', { name: say('ui.form.add'), exact: true }).click()
  await expect(row(page, 'sample 5')).toBeVisible()
  const [feed] = (await program.status()).feeds
  expect(feed?.credentials).toMatchObject([{ kind: 'bearer', source: 'keyring' }])
  expect(program.toml).not.toContain('s3cret')
})

test.describe('without a keyring', () => {
  test.use({ surroundings: 'bare' })

  test('a secret is kept in a file, once the person has chosen so', async ({ open, page, program, say, source }) => {
    const ops = guarded(await source())
    await open()
    const token = await tokenFor(page, say, ops)
    await token.fill('s3cret-of-ours')
    await token.press('Tab')
    await expect(page.getByText(say('ui.add.found'))).toBeVisible()
    const add = page.getByRole('button', { name: say('ui.form.add'), exact: true })
    await add.click()
    const sources = page.getByRole('group', { name: say('ui.access.source') })
    await expect(sources.getByRole('alert')).toBeVisible()
    await expect(token).toHaveValue('s3cret-of-ours')
    await sources.getByText(say('ui.access.source_file'), { exact: true }).click()
    await add.click()
    await expect(row(page, 'sample 5')).toBeVisible()
    const [feed] = (await program.status()).feeds
    expect(feed?.credentials).toMatchObject([{ kind: 'bearer', source: 'file' }])
  })
})

test('a page of HTML is told for what it is, and nothing is lost of what was written', async ({ open, page, say, source, words }) => {
  const site = await source()
  site.mood = 'page'
  await open()
  const address = page.getByRole('textbox', { name: say('ui.form.url') })
  await address.fill(site.url)
  await expect(page.getByRole('alert')).toContainText(words.like('probe.html'))
  await expect(address).toHaveValue(site.url)
  enoughForAProbe(site)
  site.mood = 'open'
  await page.getByRole('button', { name: say('ui.add.again') }).click()
  await expect(page.getByText(say('ui.add.found'))).toBeVisible()
})

test('feeds are put in order by the pointer and by the keyboard', async ({ open, page, program, source }) => {
  const one = await source()
  for (const id of ['alpha', 'beta', 'gamma']) await program.add(id, `${one.url}?${id}`)
  await open()
  const order = () => page.locator('[data-feed]').evaluateAll((feeds) => feeds.map((feed) => (feed as HTMLElement).dataset.feed))
  await expect.poll(order).toEqual(['alpha', 'beta', 'gamma'])

  const [from, to] = [await railFeed(page, 'Gamma').boundingBox(), await railFeed(page, 'Alpha').boundingBox()]
  if (!from || !to) throw new Error('the feeds are not in sight')
  await page.mouse.move(from.x + 40, from.y + from.height / 2)
  await page.mouse.down()
  await page.mouse.move(to.x + 40, to.y + to.height / 2, { steps: 5 })
  await page.mouse.move(to.x + 40, to.y + 3, { steps: 3 })
  await page.mouse.up()
  await expect.poll(order).toEqual(['gamma', 'alpha', 'beta'])
  await expect.poll(() => written(program.toml)).toEqual(['gamma', 'alpha', 'beta'])

  await railFeed(page, 'Gamma').focus()
  await page.keyboard.press('Alt+ArrowDown')
  await expect.poll(order).toEqual(['alpha', 'gamma', 'beta'])
  await expect.poll(() => written(program.toml)).toEqual(['alpha', 'gamma', 'beta'])
  await expect(railFeed(page, 'Gamma')).toBeFocused()
})

test('a feed goes into a group, and out of it', async ({ open, page, program, say, source }) => {
  const one = await source()
  for (const id of ['alpha', 'beta']) await program.add(id, `${one.url}?${id}`)
  await open()
  const choose = async (...names: string[]) => {
    await page.getByRole('navigation').first().getByRole('button', { name: say('ui.menu.open', { name: 'Beta' }) }).click()
    for (const name of names) await page.getByRole('menuitem', { name, exact: true }).click()
  }
  await choose(say('ui.menu.move'), say('ui.menu.new_group'))
  await page.getByLabel(say('ui.settings_form.group'), { exact: true }).fill('机房 <1>')
  await page.getByRole('button', { name: say('ui.menu.new_group_done') }).click()
  await expect(page.getByRole('list', { name: '机房 <1>' })).toContainText('Beta')
  await expect.poll(() => program.toml).toContain('group = "机房 <1>"')
  await choose(say('ui.menu.move'), say('ui.menu.no_group'))
  await expect(page.getByRole('list', { name: '机房 <1>' })).toBeHidden()
  await expect.poll(() => program.toml).not.toContain('group')
})

test('a feed is paused and goes on', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open('#/events?feed=ops')
  await page.getByRole('button', { name: say('ui.feed.pause'), exact: true }).click()
  await expect(page.getByText(say('ui.feed.paused'))).toBeVisible()
  await expect.poll(() => ops.connected).toBe(0)
  const asked = ops.requests.length
  ops.send('message', { title: 'while it was paused' })
  // In the time in which another feed is interrupted and connects anew, this one would have, too.
  const other = await source()
  await program.add('other', other.url)
  other.interrupt()
  await expect.poll(() => other.requests.length).toBe(2)
  expect(ops.requests).toHaveLength(asked)
  expect(await program.events()).toEqual([])
  await page.getByRole('button', { name: say('ui.feed.resume'), exact: true }).click()
  await expect(row(page, 'while it was paused')).toBeVisible()
})

test('a feed that is removed comes back whole: rules, credentials, place', async ({ open, page, program, say, source }) => {
  const ops = await source()
  ops.secret = 'Bearer s3cret-of-ours'
  await program.add('alpha', ops.url, { credentials: [{ kind: 'bearer', secret: { keyring: 's3cret-of-ours' } }] })
  await program.request('PUT', '/feeds/alpha/rules', { rules: [{ rule: { when: 'data.level == "low"', action: 'log' } }] })
  const other = await source()
  await program.add('beta', other.url)
  const before = program.toml
  await open('#/feeds/alpha')
  await page.getByRole('button', { name: say('ui.page.remove') }).click()
  await expect(page.getByText(say('ui.remove.done', { name: 'Alpha' }))).toBeVisible()
  await expect(railFeed(page, 'Alpha')).toBeHidden()
  await expect.poll(() => written(program.toml)).toEqual(['beta'])
  await page.getByRole('button', { name: say('ui.remove.undo') }).click()
  await expect(railFeed(page, 'Alpha')).toBeVisible()
  await expect.poll(() => program.toml).toBe(before)
  await until('it to be connected', async () => ((await program.feed('alpha')).connection.state === 'connected' ? true : undefined))
})

test('a feed’s page tells how it is, and its settings apply at once', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  for (let number = 1; number <= 3; number++) ops.send('message', { title: `event ${number}` })
  await program.event('event 3')
  await open('#/feeds/ops')
  const chart = page.getByRole('slider', { name: say('ui.rhythm.label') })
  await expect(chart).toHaveAttribute('aria-valuetext', /3/)
  await expect(page.getByText(say('ui.feed.counts_other', { count: 3 })).first()).toBeAttached()

  const name = page.getByLabel(say('ui.form.name'), { exact: true })
  await name.fill('Operations')
  await name.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Operations' })).toBeVisible()
  await expect.poll(() => program.toml).toContain('name = "Operations"')
  await page.getByRole('switch', { name: say('ui.settings_form.muted'), exact: true }).check()
  await expect.poll(() => program.toml).toContain('mute = true')
  await expect(page.getByText(say('ui.settings_form.muted_on')).first()).toBeVisible()
  ops.send('message', { title: 'muted' })
  expect((await program.event('muted')).reason.code).toBe('muted')
})

test('a setting that is refused stays as it was written, with the reason beside it', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open('#/feeds/ops')
  const address = page.getByLabel(say('ui.form.url'), { exact: true })
  await address.fill('ftp://example.org/feed')
  await address.press('Enter')
  await expect(address).toHaveAttribute('aria-invalid', 'true')
  await expect(address).toHaveAccessibleDescription(new RegExp(say('error.unsupported_scheme', { detail: 'ftp' }).slice(0, 12).replace(/[.*+?^${}()|[\]\\]/g, '.')))
  await expect(address).toHaveValue('ftp://example.org/feed')
  await page.getByRole('button', { name: say('ui.settings_form.drop') }).click()
  await expect(address).toHaveValue(ops.url)
  expect((await program.feed('ops')).url).toBe(ops.url)
})

test('a slow answer shows at the control that waits for it', async ({ open, page, program, say, site, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open('#/feeds/ops')
  const name = page.getByLabel(say('ui.form.name'), { exact: true })
  await expect(name).toHaveValue('Ops')
  site.held = '/feeds/ops'
  await name.fill('Later')
  await name.press('Enter')
  await expect(page.getByText(say('ui.form.working'))).toBeVisible()
  site.release()
  await expect(page.getByText(say('ui.form.working'))).toBeHidden()
  await expect(page.getByRole('heading', { level: 1, name: 'Later' })).toBeVisible()
})
