import { defineConfig } from '@playwright/test'
import tests from '../../playwright.config'

/** Figures rather than tests: `cargo xtask bench window` runs this, and prints them beside their budgets. */
export default defineConfig({
  ...tests,
  testDir: '.',
  testMatch: /\.bench\.ts$/,
  globalSetup: '../harness/build.ts',
  outputDir: '../../node_modules/.browser-results',
  reporter: 'line',
  workers: 1,
  timeout: 600_000,
  expect: { timeout: 60_000 },
  projects: [{ name: 'figures' }],
})
