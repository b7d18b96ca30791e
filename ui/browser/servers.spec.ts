import { rows } from './harness/room'
import { Server } from './harness/server'
import { expect, test } from './harness/test'

test('a stream of named events alone is found, and so are its names', async ({ open, page, say }) => {
  const koa = await Server.koa()
  try {
    await open()
    await page.getByRole('textbox', { name: say('ui.form.url') }).fill(koa.url('/test'))
    await expect(page.getByText(say('ui.add.found'))).toBeVisible()
    await expect(page.getByRole('list', { name: say('ui.add.types') })).toContainText('test')
    await page.getByRole('button', { name: say('ui.form.add'), exact: true }).click()
    await expect(rows(page).first()).toContainText('test')
  } finally {
    await koa.end()
  }
})

test('a server that ends after each message is no trouble', async ({ open, page, program, say }) => {
  test.skip(!Server.hasPhp, 'no PHP on this machine')
  const php = await Server.php()
  try {
    await open()
    await page.getByRole('textbox', { name: say('ui.form.url') }).fill(php.url('/000_time.php?retry=200'))
    await expect(page.getByText(say('ui.add.found'))).toBeVisible()
    await expect(page.getByText(say('ui.add.ended'))).toBeVisible()
    await page.getByRole('button', { name: say('ui.form.add'), exact: true }).click()
    await expect.poll(() => rows(page).count()).toBeGreaterThan(1)
    const [feed] = (await program.status()).feeds
    await page.goto(`${page.url().split('#')[0]}#/feeds/${feed?.id}`)
    await expect(page.getByText(say('ui.feed.between')).first()).toBeVisible()
  } finally {
    await php.end()
  }
})
