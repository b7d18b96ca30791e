import { expect, type Locator, type Page } from '@playwright/test'

/** The list of events. */
export const rows = (page: Page): Locator => page.getByRole('option')

/** The row of the event of this title. */
export const row = (page: Page, title: string): Locator => rows(page).filter({ hasText: title })

/** Waits until the list holds events of these titles, newest first, and no others. */
export async function expectList(page: Page, titles: string[]): Promise<void> {
  await expect(page.getByRole('option').locator('.title')).toHaveText(titles)
}

/** That nothing of the page is wider than the window, and nothing that is to be read or pressed lies beyond its edges. */
export async function expectNothingCut(page: Page): Promise<void> {
  const cut = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement
    const wide = scrollWidth > clientWidth ? [`the page: ${scrollWidth} of ${clientWidth}`] : []
    const controls = [...document.querySelectorAll<HTMLElement>('button, a, input, select, textarea, h1, h2, h3, [role=option]')]
    const beyond = controls.filter((control) => {
      if (!control.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || control.closest('.unseen, [inert], [aria-hidden=true]')) return false
      const { left, right, width, height } = control.getBoundingClientRect()
      if (width <= 1 || height <= 1) return false
      // What lies in something that scrolls sideways by itself can be reached there.
      for (let parent = control.parentElement; parent; parent = parent.parentElement) {
        const { overflowX } = getComputedStyle(parent)
        if ((overflowX === 'auto' || overflowX === 'scroll') && parent.scrollWidth > parent.clientWidth) return false
      }
      return left < -1 || right > clientWidth + 1
    })
    return [...wide, ...beyond.map((control) => `${control.tagName} “${control.innerText || control.getAttribute('aria-label')}”`)]
  })
  expect(cut).toEqual([])
}
