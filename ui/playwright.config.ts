import { defineConfig } from '@playwright/test'
import type { Look } from './browser/harness/test'

/** What is looked at in every language and theme; the other flows need two of the four. */
const looks = /looks\.spec\.ts$/

/**
 * The window in a browser, over the real resident program and real feeds: `npm run browser`. `BELLWETHER_BIN` names the program,
 * `CHROMIUM` the browser.
 */
export default defineConfig<Look>({
  testDir: './browser',
  outputDir: './node_modules/.browser-results',
  globalSetup: './browser/harness/build.ts',
  reporter: [['line'], ['./browser/harness/counts.ts']],
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  // Patience for a machine under load; nothing waits for as long as that if all is well.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    browserName: 'chromium',
    viewport: { width: 1100, height: 720 },
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: 20_000,
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'en-light', use: { language: 'en', locale: 'en-US', colorScheme: 'light' } },
    { name: 'zh-dark', use: { language: 'zh-CN', locale: 'zh-CN', colorScheme: 'dark' } },
    { name: 'en-dark', testMatch: looks, use: { language: 'en', locale: 'en-US', colorScheme: 'dark' } },
    { name: 'zh-light', testMatch: looks, use: { language: 'zh-CN', locale: 'zh-CN', colorScheme: 'light' } },
  ],
})
