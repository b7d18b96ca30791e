import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import type { Program } from './harness/program'
import { expectNothingCut, row } from './harness/room'
import { expect, test } from './harness/test'
import type { Source } from './harness/source'

type Open = (place?: string) => Promise<void>
interface Scene {
  page: Page
  open: Open
  say: (key: string, values?: Record<string, string | number>) => string
  ops: Source
  program: Program
}

/** Everything that there is to look at, by name: how one gets there. */
const views: Record<string, (scene: Scene) => Promise<void>> = {
  events: async ({ open, page }) => {
    await open('#/events')
    await row(page, 'disk almost full').first().click()
    await expect(page.getByRole('tabpanel')).toContainText('94 %')
  },
  raw: async ({ open, page, say }) => {
    await open('#/events')
    await row(page, 'disk almost full').first().click()
    await page.getByRole('tab', { name: say('ui.detail.raw') }).click()
    await expect(page.getByRole('tabpanel')).toContainText('"level"')
  },
  why: async ({ open, page, say }) => {
    await open('#/events')
    await row(page, 'a quiet one').click()
    await page.getByRole('tab', { name: say('ui.detail.why') }).click()
    await expect(page.getByRole('tabpanel')).toContainText('data.level == "low"')
  },
  search: async ({ open, page }) => {
    await open('#/events?search=disk')
    await expect(page.locator('mark').first()).toBeVisible()
  },
  'nothing-found': async ({ open, page, say }) => {
    await open('#/events?search=nowhere')
    await expect(page.getByText(say('ui.log.empty_search_text', { search: 'nowhere' }))).toBeVisible()
  },
  filter: async ({ open, page, say }) => {
    await open('#/events')
    await page.getByRole('button', { name: say('ui.filter.label'), exact: true }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
  },
  'export-menu': async ({ open, page, say }) => {
    await open('#/events')
    await page.getByRole('button', { name: say('ui.export.label') }).click()
    await expect(page.getByRole('menu')).toBeVisible()
  },
  'feed-events': async ({ open, page }) => {
    await open('#/events?feed=ops')
    await expect(page.getByRole('heading', { level: 1, name: 'Ops' })).toBeVisible()
  },
  feed: async ({ open, page, say }) => {
    await open('#/feeds/ops')
    await expect(page.getByRole('slider')).toBeVisible()
    await page.locator('details summary').last().click()
    await expect(page.getByLabel(say('ui.settings_form.proxy'), { exact: true })).toBeVisible()
  },
  'feed-in-trouble': async ({ open, page }) => {
    await open('#/feeds/gone')
    await expect(page.getByRole('slider')).toBeVisible()
  },
  'feed-menu': async ({ open, page }) => {
    await open('#/events')
    await page.locator('[data-feed=ops]').focus()
    await page.keyboard.press('Shift+F10')
    await expect(page.getByRole('menu')).toBeVisible()
  },
  add: async ({ open, ops, page, say }) => {
    await open('#/events')
    await page.keyboard.press('n')
    await page.getByRole('dialog').getByRole('textbox').first().fill(`${ops.url}?another`)
    await expect(page.getByText(say('ui.add.found'))).toBeVisible()
  },
  rules: async ({ open, page, say }) => {
    await open('#/feeds/ops/rules')
    await expect(page.getByText(say('ui.rules.first_wins'))).toBeVisible()
    await expect(page.locator('.sum strong')).toBeVisible()
  },
  rule: async ({ open, page, say }) => {
    await open('#/feeds/ops/rules?rule=1')
    await expect(page.getByRole('heading', { name: say('ui.rules.title', { rule: 1 }) })).toBeVisible()
    await expect(page.locator('.sum strong')).toBeVisible()
  },
  'no-rules': async ({ open, page, say }) => {
    await open('#/feeds/gone/rules')
    await expect(page.getByText(say('ui.rules.empty_hint'))).toBeVisible()
  },
  palette: async ({ open, page }) => {
    await open('#/events')
    await row(page, 'disk almost full').first().waitFor()
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('dialog')).toBeVisible()
  },
  keys: async ({ open, page }) => {
    await open('#/events')
    await row(page, 'disk almost full').first().waitFor()
    await page.keyboard.press('?')
    await expect(page.getByRole('dialog')).toBeVisible()
  },
}
for (const section of ['notifications', 'quiet-hours', 'general', 'log', 'backup', 'feeds-toml', 'diagnostics', 'about']) {
  views[`settings-${section}`] = async ({ open, page }) => {
    await open(`#/settings/${section}`)
    await expect(page.locator('#settings-section')).toBeVisible()
    await expect(page.locator('.card').first()).toBeVisible()
  }
}
// Last, as the program is gone then.
views.offline = async ({ open, page, program, say }) => {
  await open('#/events')
  await row(page, 'disk almost full').first().waitFor()
  await program.kill()
  await expect(page.getByText(say('ui.offline.banner'))).toBeVisible()
}

/** Views that one test looks at. */
const PORTION = 7

/** A program with a feed of every kind of trouble, and events of every kind. */
async function furnish(program: Program, ops: Source): Promise<void> {
  await program.add('ops', ops.url, { settings: { group: '机房' } })
  await program.request('POST', '/feeds', { id: 'gone', name: 'Gone', url: 'http://127.0.0.1:9/gone' })
  await program.rules('ops', { when: 'data.level == "low"', action: 'log' }, { event: ['disk', 'backup'] })
  ops.send('disk', { title: 'a quiet one', level: 'low' })
  ops.send('backup', { title: '备份完成', message: '所有文件已保存', level: 'low', url: 'https://example.org/' })
  for (let number = 1; number <= 5; number++) ops.send('disk', { title: 'disk almost full', message: `db-${number} is at 94 %`, level: 'high', priority: number })
  await program.event('disk almost full')
}

/** What axe finds, each with its place. */
async function audit(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${String(target)}: ${failureSummary ?? ''}`))
}

// Several in one program: to furnish it takes as long as to look at them.
const all = Object.entries(views)
for (let from = 0; from < all.length; from += PORTION) {
  const portion = all.slice(from, from + PORTION)
  test(`accessible, narrow and enlarged: ${portion.map(([name]) => name).join(', ')}`, async ({ open, page, program, say, source }, info) => {
    test.slow()
    const ops = await source()
    await furnish(program, ops)
    for (const [name, go] of portion) {
      await test.step(name, async () => {
        await page.setViewportSize({ width: 1100, height: 720 })
        // An address that differs in its fragment alone would load nothing anew.
        await page.goto('about:blank')
        await go({ open, page, say, ops, program })
        expect.soft(await audit(page), name).toEqual([])
        const picture = (width: number) => page.screenshot({ path: `${info.outputDir}/${name}-${width}.png`, animations: 'disabled' })
        await picture(1100)
        // A window of 480 pixels, and 1100 at 200 %.
        for (const [width, height] of [[480, 720], [550, 360]] as const) {
          await page.setViewportSize({ width, height })
          await expectNothingCut(page, name)
          if (width === 480) await picture(width)
        }
        if (info.project.name === 'en-light') expect.soft(await audit(page), `${name}, narrow`).toEqual([])
      })
    }
  })
}

test('the first start is accessible, and fits narrow windows', async ({ open, page }, info) => {
  await open()
  expect(await audit(page)).toEqual([])
  for (const [width, height] of [[550, 360], [480, 720]] as const) {
    await page.setViewportSize({ width, height })
    await expectNothingCut(page)
  }
  await page.screenshot({ path: `${info.outputDir}/start.png` })
})

test('in forced colours what is chosen and what is pressed can be told', async ({ open, page, program, source }, info) => {
  const ops = await source()
  await furnish(program, ops)
  await page.emulateMedia({ forcedColors: 'active' })
  await open('#/events')
  await row(page, 'disk almost full').first().click()
  await expect(page.getByRole('tabpanel')).toContainText('94 %')
  // The chosen row and the chosen tab differ from their neighbours by more than a colour that is taken away.
  const differs = await page.evaluate(() => {
    const look = (element: Element | null) => {
      if (!element) return ''
      const { borderTopColor, borderTopWidth, outlineStyle, outlineColor, backgroundColor, color, fontWeight, boxShadow, textDecorationLine, borderBottomColor, borderBottomWidth } = getComputedStyle(element)
      return JSON.stringify([borderTopColor, borderTopWidth, outlineStyle, outlineColor, backgroundColor, color, fontWeight, boxShadow, textDecorationLine, borderBottomColor, borderBottomWidth])
    }
    const rows = [...document.querySelectorAll('[role=option][id^="event-"]')]
    const tabs = [...document.querySelectorAll('[role=tab]')]
    const here = rows.find((row) => row.matches('[aria-selected=true], .here')) ?? null
    const other = rows.find((row) => row !== here) ?? null
    const tab = tabs.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? null
    return [look(here) !== look(other), look(tab) !== look(tabs.find((other) => other !== tab) ?? null)]
  })
  expect(differs).toEqual([true, true])
  await page.screenshot({ path: `${info.outputDir}/forced-colours.png` })
})
