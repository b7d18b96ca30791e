export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly string[] = ['system', 'light', 'dark']

/** Light, dark, or like the system; kept in the webview, since the resident program draws nothing. */
export class Appearance {
  theme = $state<Theme>('system')

  #systemDark = matchMedia('(prefers-color-scheme: dark)')

  constructor() {
    const stored = localStorage.getItem('theme') ?? 'system'
    this.#apply(THEMES.includes(stored) ? (stored as Theme) : 'system')
    this.#systemDark.addEventListener('change', () => this.#apply(this.theme))
  }

  set(theme: Theme): void {
    localStorage.setItem('theme', theme)
    this.#apply(theme)
  }

  #apply(theme: Theme): void {
    this.theme = theme
    const dark = theme === 'dark' || (theme === 'system' && this.#systemDark.matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }
}
