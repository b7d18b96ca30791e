import { expect, test } from './harness/test'

test('quiet hours are set by the form', async ({ open, page, program, say }) => {
  await open('#/settings/quiet-hours')
  await expect(page.getByText(say('ui.quiet.none'))).toBeVisible()
  await page.getByRole('button', { name: say('ui.quiet.add') }).click()
  const form = page.getByRole('group', { name: say('ui.quiet.form') })
  await form.getByLabel(say('ui.quiet.from'), { exact: true }).fill('23:15')
  await form.getByLabel(say('ui.quiet.to'), { exact: true }).fill('06:45')
  await form.getByLabel(say('ui.quiet.to'), { exact: true }).blur()
  await expect.poll(() => program.toml).toContain('from = "23:15"')
  await expect.poll(() => program.toml).toContain('to = "06:45"')
  expect((await program.request<{ quiet_hours: unknown[] }>('GET', '/settings')).quiet_hours).toMatchObject([{ from: '23:15', to: '06:45' }])
})

test('quiet hours are drawn on the week', async ({ open, page, program, say }) => {
  await open('#/settings/quiet-hours')
  const grid = page.getByRole('img', { name: say('ui.quiet.picture_none') }).locator('.grid')
  const box = await grid.boundingBox()
  if (!box) throw new Error('the week is not in sight')
  const at = (day: number, hour: number) => [box.x + (box.width * hour) / 24, box.y + (box.height * (day + 0.5)) / 7] as const
  await page.mouse.move(...at(1, 12))
  await page.mouse.down()
  await page.mouse.move(...at(2, 13), { steps: 5 })
  await page.mouse.move(...at(3, 18), { steps: 5 })
  await page.mouse.up()
  const hours = async () => (await program.request<{ quiet_hours: unknown[] }>('GET', '/settings')).quiet_hours
  await expect.poll(hours).toMatchObject([{ days: ['tue', 'wed', 'thu'], from: '12:00', to: '18:00' }])
  expect(program.toml).toContain('from = "12:00"')
  // A range is moved as a whole.
  await page.mouse.move(...at(2, 15))
  await page.mouse.down()
  await page.mouse.move(...at(2, 17), { steps: 5 })
  await page.mouse.up()
  await expect.poll(hours).toMatchObject([{ from: '14:00', to: '20:00' }])
})

test('limits, sound and retention apply at once', async ({ open, page, program, say }) => {
  await open('#/settings/notifications')
  const popups = page.getByRole('spinbutton', { name: say('ui.notify.flood_popups') })
  await popups.fill('7')
  await popups.press('Enter')
  await expect.poll(() => program.toml).toContain('popups = 7')
  await page.getByRole('switch', { name: say('ui.notify.sound'), exact: true }).uncheck()
  await expect.poll(() => program.toml).toContain('sound = false')
  await expect(page.getByText(say('ui.notify.sound_off'))).toBeVisible()

  await page.getByRole('link', { name: say('ui.settings.log') }).click()
  await page.getByRole('radiogroup', { name: say('ui.keep.by_days') }).getByText(say('ui.keep.so_long')).click()
  const days = page.getByRole('spinbutton', { name: say('ui.keep.days') })
  await days.fill('30')
  await days.press('Enter')
  await expect.poll(async () => (await program.request<{ retention: { days: number | null } }>('GET', '/settings')).retention.days).toBe(30)
  // What cannot be is said where it was written.
  await days.fill('0')
  await expect(days).toHaveAttribute('aria-invalid', 'true')
})

test('language and theme change at once, and stay', async ({ language, open, page, program, say }) => {
  await open('#/settings/general')
  await expect(page.getByRole('heading', { name: say('ui.settings.general') })).toBeVisible()
  const other = language === 'en' ? 'zh-CN' : 'en'
  await page.getByRole('combobox', { name: say('ui.settings.language') }).selectOption(other)
  await expect(page.locator('html')).toHaveAttribute('lang', other)
  await expect.poll(async () => (await program.status()).locale).toBe(other)
  await page.getByRole('combobox').first().selectOption(language)
  await expect(page.locator('html')).toHaveAttribute('lang', language)

  const before = await page.locator('html').getAttribute('data-theme')
  const wanted = before === 'dark' ? 'light' : 'dark'
  await page.getByRole('radiogroup', { name: say('ui.settings.theme') }).getByText(say(`ui.settings.theme_${wanted}`)).click()
  await expect(page.locator('html')).toHaveAttribute('data-theme', wanted)
  await expect.poll(async () => (await program.status()).theme).toBe(wanted)
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', wanted)
})

test('a machine that was wiped is the same after an import', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('alpha', ops.url)
  await program.rules('alpha', { event: 'quiet', action: 'log' })
  await program.request('PATCH', '/settings', { sound: false })
  ops.send('message', { title: 'kept' })
  await program.event('kept')
  const before = program.toml
  await open('#/settings/backup')
  await page.getByRole('switch', { name: say('ui.backup.events') }).check()
  await page.getByRole('button', { name: say('ui.backup.export_now'), exact: true }).click()
  const path = page.getByText(/^\/\S+\.jsonl?$/)
  await expect(path).toBeVisible()
  const file = (await path.textContent()) ?? ''

  await program.request('DELETE', '/feeds/alpha')
  await program.request('PATCH', '/settings', { sound: true })
  await program.request('POST', '/events/delete', { seqs: (await program.events()).map(({ seq }) => seq) })
  await page.getByLabel(say('ui.backup.choose')).setInputFiles(file)
  await page.getByRole('button', { name: say('ui.backup.import_now'), exact: true }).click()
  await expect(page.getByText(say('ui.backup.imported_one', { count: 1 }))).toBeVisible()
  await expect.poll(() => program.toml).toBe(before)
  await expect(page.getByRole('navigation').first()).toContainText('Alpha')
  await program.event('kept')
})

test('a file that is no export is refused where it was chosen', async ({ open, page, program, say, words }) => {
  await open('#/settings/backup')
  const before = program.toml
  await page.getByLabel(say('ui.backup.choose')).setInputFiles({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"no":"export"}') })
  await page.getByRole('button', { name: say('ui.backup.import_now'), exact: true }).click()
  await expect(page.getByText(words.like('error.not_an_export'))).toBeVisible()
  expect(program.toml).toBe(before)
})

test('the report of the diagnostics is copied, without secrets', async ({ context, open, page, program, say, source }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const ops = await source()
  await program.add('ops', `${ops.url}?token=s3cret-of-ours`)
  await open('#/settings/diagnostics')
  await expect(page.getByRole('heading', { level: 4 }).first()).toBeVisible()
  await page.getByRole('button', { name: say('ui.doctor.copy') }).click()
  await expect(page.getByText(say('ui.doctor.copied'), { exact: true })).toBeVisible()
  const report = await page.evaluate(() => navigator.clipboard.readText())
  expect(report.length).toBeGreaterThan(100)
  expect(report).not.toContain('s3cret')
})

test('a setting that cannot be saved says so where it stands, and is kept', async ({ open, page, program, say }) => {
  await open('#/settings/notifications')
  const sound = page.getByRole('switch', { name: say('ui.notify.sound'), exact: true })
  await expect(sound).toBeChecked()
  await program.kill()
  await sound.uncheck()
  await expect(page.getByRole('button', { name: say('ui.doing.retry') }).first()).toBeVisible()
  await program.start()
  await expect.poll(() => program.toml, { timeout: 40_000 }).toContain('sound = false')
  await expect(sound).not.toBeChecked()
})
