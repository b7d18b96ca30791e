import { writeFileSync } from 'node:fs'
import { type CDPSession, expect, type Page, test } from '@playwright/test'
import { Program } from '../harness/program'
import { Site } from '../harness/site'
import { Source } from '../harness/source'
import { until } from '../harness/until'

const RUNS = 5
/** Events after which memory is looked at first, and for the second time. */
const LIVE = [10_000, 100_000] as const

const { BELLWETHER_PROFILE: profile, BELLWETHER_FIGURES: file } = process.env

/** One complete event of a trace (Trace Event Format). */
interface Traced {
  name: string
  ph: string
  pid: number
  tid: number
  dur?: number
  args: { name?: string }
}

test('the window over a full log', async ({ browser }) => {
  if (!profile || !file) throw new Error('BELLWETHER_PROFILE and BELLWETHER_FIGURES say what to measure and where to write it')
  const source = await Source.start()
  const program = new Program(undefined, profile)
  program.toml += `[[feed]]\nid = "live"\nurl = "${source.url}"\nrule = [{ action = "log" }]\n`
  await program.start()
  const site = await Site.start(program.socket)
  try {
    const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, reducedMotion: 'reduce' })
    const [paint, rows] = await firstPaint(() => context.newPage(), site.url)
    const page = await context.newPage()
    await page.goto(site.url)
    await expect(page.getByRole('option').first()).toBeVisible()
    const figures = { paint, rows, longest_task: await scrolled(page), ...(await grown(page, program, source)) }
    writeFileSync(file, JSON.stringify(figures))
  } finally {
    await site.end()
    await program.end()
    await source.close()
  }
})

/** The medians of the time to the first contentful paint, and to the first rows, in ms. */
async function firstPaint(newPage: () => Promise<Page>, url: string): Promise<[number, number]> {
  const paints: number[] = []
  const rows: number[] = []
  // The first one fills the caches.
  for (let run = 0; run <= RUNS; run++) {
    const page = await newPage()
    await page.goto(url)
    await expect(page.getByRole('option').first()).toBeVisible()
    const times = await page.evaluate(() =>
      ['first-contentful-paint', 'rows'].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN),
    )
    if (run > 0) {
      paints.push(times[0] ?? NaN)
      rows.push(times[1] ?? NaN)
    }
    await page.close()
  }
  return [median(paints), median(rows)]
}

/** Scrolls by the wheel, and by the bar through the whole list; the longest task of the page's main thread, in ms. */
async function scrolled(page: Page): Promise<number> {
  const browser = page.context().browser()
  if (!browser) throw new Error('no browser to trace')
  await page.getByRole('option').first().hover()
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] })
  for (let turn = 0; turn < 150; turn++) {
    await page.mouse.wheel(0, 400)
    await page.evaluate(() => new Promise(requestAnimationFrame))
  }
  await page.getByRole('listbox').evaluate(async (list) => {
    for (let step = 0; step <= 200; step++) {
      list.scrollTop = ((list.scrollHeight - list.clientHeight) * step) / 200
      await new Promise(requestAnimationFrame)
      await new Promise(requestAnimationFrame)
    }
  })
  await expect(page.getByRole('option').last()).toBeVisible()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: Traced[] }
  if (process.env.BELLWETHER_TRACE) writeFileSync(process.env.BELLWETHER_TRACE, JSON.stringify(traceEvents))
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && mains.has(`${pid} ${tid}`),
  )
  if (tasks.length < 100) throw new Error(`the trace holds ${tasks.length} tasks only`)
  await page.getByRole('listbox').evaluate((list) => (list.scrollTop = 0))
  return Math.max(...tasks.map(({ dur }) => (dur ?? 0) / 1000))
}

/** Heap in MiB and nodes of the page, after many events that arrive while it is open. */
async function grown(page: Page, program: Program, source: Source): Promise<Record<string, number>> {
  const devtools = await page.context().newCDPSession(page)
  const first = await sentAndMeasured(page, devtools, program, source, 0, LIVE[0])
  const last = await sentAndMeasured(page, devtools, program, source, LIVE[0], LIVE[1])
  return { heap_first: first.heap, heap_last: last.heap, nodes_first: first.nodes, nodes_last: last.nodes }
}

async function sentAndMeasured(page: Page, devtools: CDPSession, program: Program, source: Source, from: number, to: number) {
  for (let number = from; number < to; number++) {
    source.send('alert', { title: `live ${number + 1}`, message: 'needs care: /var/lib is 93 % full', host: number % 97 })
    if ((number + 1) % 1000 > 0) continue
    await until(`${number + 1} live events in the log`, async () =>
      (await program.feed('live')).counts.events > number ? true : undefined,
    )
  }
  await expect(page.getByRole('option').filter({ hasText: `live ${to}` })).toBeVisible()
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await devtools.send('Runtime.getHeapUsage')
  const { nodes } = await devtools.send('Memory.getDOMCounters')
  return { heap: usedSize / 1024 / 1024, nodes }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
