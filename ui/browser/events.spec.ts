import { expect, test } from './harness/test'

test('an event is there the moment it arrives, and can be read', async ({ open, page, program, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await open()
  ops.send('disk', { title: '磁盘将满', message: '/var is at 94 %', seven: 7 })
  const row = page.getByRole('option').filter({ hasText: '磁盘将满' })
  await row.click()
  await expect(page.getByRole('heading', { name: '磁盘将满' })).toBeVisible()
  await expect.poll(async () => (await program.events())[0]?.read).toBe(true)
})
