import { type ConsoleMessage, expect, type Page, test as base } from '@playwright/test'
import { Desktop } from './desktop'
import { Program } from './program'
import { Site } from './site'
import { Source } from './source'
import { type Language, Words } from './words'

export { expect } from '@playwright/test'
export { until } from './until'
export type { Words } from './words'

/** In which language the window is tried, and whether the program has a desktop around it. */
export interface Look {
  language: Language
  /** `desktop`: with display, notification server and keyring; `bare`: without any of them. */
  surroundings: 'desktop' | 'bare'
}

interface Things {
  words: Words
  /** A text of the window. */
  say: Words['say']
  /** The resident program, without feeds, in the language of this run. */
  program: Program
  site: Site
  /** Starts a feed's server; it ends with the test. */
  source: () => Promise<Source>
  /** Opens the window at a place, such as `#/events?feed=ops`. */
  open: (place?: string) => Promise<void>
}

/** What a test may see go wrong in the page without having failed: by the beginning of the message. */
const EXPECTED = [
  // The browser says so itself of each answer that is no success, and of each connection that ends.
  'Failed to load resource:',
]

export const test = base.extend<Look & Things, { desktop: Desktop | undefined }>({
  language: ['en', { option: true }],
  surroundings: ['desktop', { option: true }],

  desktop: [
    async ({}, use) => {
      const desktop = Desktop.missing() === undefined ? await Desktop.start() : undefined
      await use(desktop)
      await desktop?.end()
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  words: async ({ language }, use) => use(new Words(language)),
  say: async ({ words }, use) => use((key, values) => words.say(key, values)),

  program: async ({ language, surroundings, desktop }, use, info) => {
    info.skip(surroundings === 'desktop' && !desktop, Desktop.missing())
    const program = new Program(surroundings === 'desktop' ? desktop?.environment : undefined)
    await program.start()
    await program.request('PATCH', '/settings', { language })
    await use(program)
    if (info.status !== info.expectedStatus) await info.attach('program', { body: program.fate, contentType: 'text/plain' })
    await program.end()
  },

  site: async ({ program }, use) => {
    const site = await Site.start(program.socket)
    await use(site)
    await site.end()
  },

  source: async ({}, use) => {
    const sources: Source[] = []
    await use(async () => {
      const source = await Source.start()
      sources.push(source)
      return source
    })
    await Promise.all(sources.map((source) => source.close()))
  },

  open: async ({ page, site }, use) => {
    await use(async (place = '') => {
      await page.goto(`${site.url}${place}`)
      // Before the program has answered there is nothing that keys could do.
      await page.locator('#main').waitFor()
    })
  },

  // Whatever a test does: nothing is thrown in the page, nothing is refused by its policy, no dialog of the browser's opens, and
  // nobody but the site is asked for anything.
  page: async ({ page, site }, use) => {
    const wrong: string[] = []
    await watch(page, site.url, wrong)
    await use(page)
    expect(wrong).toEqual([])
  },
})

async function watch(page: Page, url: string, wrong: string[]): Promise<void> {
  page.on('pageerror', (error) => wrong.push(`thrown: ${error.stack ?? error.message}`))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message: ConsoleMessage) => {
    const text = message.text()
    if (message.type() === 'error' && !EXPECTED.some((start) => text.startsWith(start))) wrong.push(`console: ${text}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob|about):/.test(request.url())) wrong.push(`request: ${request.url()}`)
  })
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`)
    })
  })
}
