import type { Page } from '@playwright/test'
import type { Program } from './harness/program'
import { row } from './harness/room'
import { expect, test, type Words } from './harness/test'

type Say = Words['say']

/** Events of two levels, three low ones and two high ones. */
async function levels(program: Program, send: (event: string, data: unknown) => void): Promise<void> {
  for (const [at, level] of ['low', 'high', 'low', 'low', 'high'].entries()) send('alert', { title: `${level} ${at + 1}`, level, priority: level === 'high' ? 5 : 2 })
  await program.event('high 5')
}

const editorOf = (page: Page, say: Say) => page.getByRole('region', { name: say('ui.feed.tab_rules'), exact: true })
const save = (page: Page, say: Say) => page.getByRole('button', { name: say('ui.rules.save'), exact: true }).click()

test('a rule is made from an event, tried while it is written, and decides the next one', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await levels(program, (event, data) => ops.send(event, data))
  await open()
  await row(page, 'low 4').click()
  await page.getByRole('button', { name: say('ui.detail.make_rule') }).click()
  const room = editorOf(page, say)
  await expect(room.getByRole('heading', { name: say('ui.rules.title', { rule: 1 }) })).toBeVisible()
  const sum = (notified: number) => page.getByText(say('ui.rules.would', { notified, evaluated: 5 }))
  await expect(sum(5)).toBeVisible()

  const field = room.getByRole('combobox', { name: say('ui.rules.field'), exact: true })
  await field.selectOption({ label: await optionOf(field, 'level') })
  await room.getByRole('combobox', { name: say('ui.rules.operator'), exact: true }).selectOption({ label: say('ui.rules.op_is') })
  await room.getByRole('textbox', { name: say('ui.rules.value'), exact: true }).fill('low')
  await room.getByRole('radio', { name: say('ui.rules.action_log'), exact: true }).check()
  await expect(sum(2)).toBeVisible()
  await save(page, say)
  await expect(page.getByText(say('ui.rules.saved', { feed: 'Ops' }))).toBeVisible()
  expect(program.toml).toContain('action = "log"')

  ops.send('alert', { title: 'low again', level: 'low' })
  ops.send('alert', { title: 'high again', level: 'high' })
  expect(await program.event('low again')).toMatchObject({ outcome: 'logged', reason: { code: 'rule', rule: 1 } })
  expect((await program.event('high again')).outcome).not.toBe('logged')
})

/** The label of the field of this name, which goes on with a sample. */
async function optionOf(field: ReturnType<Page['getByRole']>, name: string): Promise<string> {
  await expect(field.locator('option').filter({ hasText: name }).first()).toBeAttached()
  const labels = await field.locator('option').allTextContents()
  return labels.find((label) => label.startsWith(name)) ?? name
}

test('a condition goes from rows to text and back without loss', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await levels(program, (event, data) => ops.send(event, data))
  const when = 'data.level == "low" and data.priority < 4'
  await program.rules('ops', { when, action: 'log' }, {})
  await open('#/feeds/ops/rules?rule=1')
  const room = editorOf(page, say)
  const form = (name: string) => room.getByRole('radiogroup', { name: say('ui.rules.form') }).getByText(say(`ui.rules.form_${name}`), { exact: true })
  await expect(room.getByRole('combobox', { name: say('ui.rules.operator'), exact: true })).toHaveCount(2)
  await form('text').click()
  const text = room.getByRole('textbox', { name: say('ui.rules.condition') })
  await expect(text).toHaveValue(when)
  await form('rows').click()
  await expect(room.getByRole('combobox', { name: say('ui.rules.operator'), exact: true })).toHaveCount(2)
  await expect(page.getByRole('region', { name: say('ui.rules.unsaved') })).toBeHidden()
  // What the rows cannot show stays text, and stays as it is.
  await form('text').click()
  await text.fill('(data.priority * 2) > 6 and data.level is string')
  await expect(page.getByText(say('ui.rules.would', { notified: 3, evaluated: 5 }))).toBeVisible()
  await save(page, say)
  await expect.poll(() => program.toml).toContain('(data.priority * 2) > 6 and data.level is string')
})

test('a mistake is told at its place, and nothing is saved', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await levels(program, (event, data) => ops.send(event, data))
  await program.rules('ops', { when: 'data.level == "low"', action: 'log' }, {})
  const before = program.toml
  await open('#/feeds/ops/rules?rule=1')
  const room = editorOf(page, say)
  await room.getByRole('radiogroup', { name: say('ui.rules.form') }).getByText(say('ui.rules.form_text'), { exact: true }).click()
  const text = room.getByRole('textbox', { name: say('ui.rules.condition') })
  await text.fill('data.level == low"')
  await expect(text).toHaveAttribute('aria-invalid', 'true')
  await expect(room.getByRole('alert').locator('mark')).toBeVisible()
  await expect(page.getByText(say('ui.rules.waits_for_mistake'))).toBeVisible()
  await save(page, say)
  await expect(page.getByText(say('ui.rules.unsaved_mistake'))).toBeVisible()
  expect(program.toml).toBe(before)
  await page.getByRole('button', { name: say('ui.rules.discard'), exact: true }).click()
  await expect(page.getByText(say('ui.rules.discarded'))).toBeVisible()
})

test('rules are put in order by the pointer and by the keyboard', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await program.rules('ops', { event: 'one', action: 'log' }, { event: 'two', action: 'ignore' }, { event: 'three' })
  await open('#/feeds/ops/rules')
  const room = editorOf(page, say)
  const order = async () => (await room.locator('.open-rule').allInnerTexts()).map((text) => /one|two|three/.exec(text)?.[0])
  await expect.poll(order).toEqual(['one', 'two', 'three'])
  await room.locator('.open-rule').nth(0).focus()
  await page.keyboard.press('Alt+ArrowDown')
  await expect.poll(order).toEqual(['two', 'one', 'three'])
  const [from, to] = [await room.locator('.grip').nth(2).boundingBox(), await room.locator('.grip').nth(0).boundingBox()]
  if (!from || !to) throw new Error('the rules are not in sight')
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
  await page.mouse.down()
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 6 })
  await page.mouse.move(to.x + to.width / 2, to.y - 4, { steps: 3 })
  await page.mouse.up()
  await expect.poll(order).toEqual(['three', 'two', 'one'])
  await save(page, say)
  const written = () => [...program.toml.matchAll(/event = "(.*)"/g)].map(([, name]) => name)
  await expect.poll(written).toEqual(['three', 'two', 'one'])
})

test('rules that were changed elsewhere meanwhile are not overwritten unasked', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await program.rules('ops', { event: 'one', action: 'log' })
  await open('#/feeds/ops/rules?rule=1')
  const room = editorOf(page, say)
  await room.getByRole('radio', { name: say('ui.rules.action_ignore'), exact: true }).check()
  await program.rules('ops', { event: 'elsewhere', action: 'log' })
  // The window may have learned of it before it is asked to save.
  const conflict = page.getByText(say('ui.rules.conflict'))
  await expect(async () => {
    if (await conflict.isHidden()) await page.getByRole('button', { name: say('ui.rules.save'), exact: true }).click({ timeout: 1000 })
    await expect(conflict).toBeVisible({ timeout: 3000 })
  }).toPass()
  expect(program.toml).toContain('elsewhere')
  await expect(room.getByRole('radio', { name: say('ui.rules.action_ignore'), exact: true })).toBeChecked()
  await page.getByRole('button', { name: say('ui.rules.save_anyway') }).click()
  await expect.poll(() => program.toml).toContain('action = "ignore"')
  expect(program.toml).not.toContain('elsewhere')
})

test('what was written of a rule outlives the program’s end', async ({ open, page, program, say, source }) => {
  const ops = await source()
  await program.add('ops', ops.url)
  await program.rules('ops', { event: 'one', action: 'log' })
  await open('#/feeds/ops/rules?rule=1')
  const room = editorOf(page, say)
  await room.getByRole('radio', { name: say('ui.rules.action_ignore'), exact: true }).check()
  await program.kill()
  await expect(page.getByText(say('ui.offline.banner'))).toBeVisible()
  await save(page, say)
  await expect(page.getByRole('region', { name: say('ui.rules.unsaved') })).toBeVisible()
  await program.start()
  await expect(page.getByText(say('ui.offline.banner'))).toBeHidden()
  await expect(room.getByRole('radio', { name: say('ui.rules.action_ignore'), exact: true })).toBeChecked()
  await save(page, say)
  await expect.poll(() => program.toml).toContain('action = "ignore"')
})
