import { row, rows } from './harness/room'
import { expect, test, until } from './harness/test'

test('the program is killed under a form that is being filled in, and comes back', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open()
  ops.send('message', { title: 'before' })
  await expect(row(page, 'before')).toBeVisible()
  await page.keyboard.press('n')
  const address = page.getByRole('textbox', { name: say('ui.form.url') })
  await address.fill('https://example.org/half-wri')

  await program.kill()
  await expect(page.getByText(say('ui.offline.banner'))).toBeVisible()
  await expect(row(page, 'before')).toHaveCount(1)
  await address.pressSequentially('tten')
  ops.send('message', { title: 'meanwhile' })
  await program.start()
  await expect(page.getByText(say('ui.offline.banner'))).toBeHidden()
  await expect(address).toHaveValue('https://example.org/half-written')

  await page.keyboard.press('Escape')
  ops.send('message', { title: 'after' })
  await program.event('after')
  for (const title of ['before', 'meanwhile', 'after']) await expect(row(page, title)).toHaveCount(1)
  await expect(rows(page)).toHaveCount(3)
})

test('the window is opened before the program runs, and shows it once it does', async ({ page, program, say, site, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  ops.send('message', { title: 'kept' })
  await program.event('kept')
  await program.kill()
  await page.goto(site.url)
  await expect(page.getByRole('heading', { name: say('ui.offline.title') })).toBeVisible()
  await program.start()
  await expect(row(page, 'kept')).toBeVisible()
  await expect(page.getByText(say('ui.offline.banner'))).toBeHidden()
})

test('a server that goes away and comes back leaves separators in the log', async ({ open, page, program, source, words }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  ops.send('message', { title: 'before' })
  await program.event('before')
  await open()
  await expect(row(page, 'before')).toBeVisible()
  await ops.close()
  await until('the outage', async () => ((await program.feed('ops')).connection.state === 'waiting' ? true : undefined))
  await ops.open()
  ops.send('message', { title: 'after' })
  await program.event('after')
  await expect(row(page, 'after')).toBeVisible()
  void words
})
