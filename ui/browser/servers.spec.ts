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

test('a server that ends after each message is no trouble', async ({ open, page, program, say, words }) => {
  test.skip(!Server.hasPhp, 'no PHP on this machine')
  const php = await Server.php()
  try {
    await open()
    await page.getByRole('textbox', { name: say('ui.form.url') }).fill(php.url('/000_time.php?retry=200'))
    await expect(page.getByText(say('ui.add.found'))).toBeVisible()
    await expect(page.getByText(say('ui.add.ended'))).toBeVisible()
    await page.getByRole('button', { name: say('ui.form.add'), exact: true }).click()
    await expect.poll(() => rows(page).count()).toBeGreaterThan(1)
    // It is asked again after each, and that is no outage.
    await expect(page.locator('.list').getByText(words.like('ui.log.connection_lost'))).toHaveCount(0)
    expect((await program.status()).feeds[0]?.connection.attempt).toBe(0)
  } finally {
    await php.end()
  }
})
