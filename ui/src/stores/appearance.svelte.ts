import type { Theme } from '../generated/Theme'

/**
 * Light, dark, or like the system. The program keeps which; the webview's storage has it too, so that a script in the page's head
 * can draw the first picture in it (`public/theme.js`).
 */
export class Appearance {
  theme = $state<Theme>('system')

  #systemDark = matchMedia('(prefers-color-scheme: dark)')

  constructor() {
    this.#apply(named(localStorage.getItem('theme')))
    this.#systemDark.addEventListener('change', () => this.#apply(this.theme))
  }

  /** Takes on what the program has, or is about to have. */
  follow(theme: Theme): void {
    localStorage.setItem('theme', theme)
    this.#apply(theme)
  }

  #apply(theme: Theme): void {
    this.theme = theme
    const dark = theme === 'dark' || (theme === 'system' && this.#systemDark.matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }
}

function named(name: string | null): Theme {
  return name === 'light' || name === 'dark' ? name : 'system'
}
