import type { Reporter, TestCase } from '@playwright/test/reporter'

/** Closes a run with one line that the chore counts by, in the form of the other runners: `Tests  1 failed | 2 passed (3)`. */
export default class Counts implements Reporter {
  #tests = new Map<string, TestCase>()

  onTestEnd(test: TestCase): void {
    this.#tests.set(test.id, test)
  }

  onEnd(): void {
    const outcomes = [...this.#tests.values()].map((test) => test.outcome())
    const count = (...wanted: string[]) => outcomes.filter((outcome) => wanted.includes(outcome)).length
    // One that passes only at its second try has failed: there is no second try.
    const counts = [`${count('unexpected', 'flaky')} failed`, `${count('expected')} passed`, `${count('skipped')} skipped`]
    process.stdout.write(`\n      Tests  ${counts.join(' | ')} (${outcomes.length})\n`)
  }

  printsToStdio(): boolean {
    return false
  }
}
