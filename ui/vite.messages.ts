import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

/** The families of messages that the window shows; others are the command line's and the tray's. */
const FAMILIES = ['attention', 'error', 'hint', 'mistake', 'outcome', 'part', 'probe', 'reason', 'rule', 'snooze', 'state', 'time', 'ui']

/** Each language a chunk of its own, of which the window loads one; the keys stand once for all of them. */
const LOCALES = ['en', 'zh-CN']

const ID = 'virtual:messages'

/** The catalogues in `folder` as the module `virtual:messages`. */
export function messages(folder: string): Plugin {
  const read = (locale: string) => {
    const all = JSON.parse(readFileSync(`${folder}/${locale}.json`, 'utf8')) as Record<string, string>
    return Object.entries(all).filter(([key]) => FAMILIES.includes(key.split('.')[0] ?? ''))
  }
  return {
    name: 'messages',
    resolveId: (id) => (id.startsWith(ID) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${ID}`)) return undefined
      const locale = id.slice(ID.length + 2)
      for (const locale of LOCALES) this.addWatchFile(`${folder}/${locale}.json`)
      if (locale !== '') return `export default ${JSON.stringify(read(locale).map(([, text]) => text))}`
      const keys = read('en').map(([key]) => key)
      const loads = LOCALES.map((locale) => `${JSON.stringify(locale)}: () => import('${ID}/${locale}')`)
      return `export const keys = ${JSON.stringify(keys.join(' '))}.split(' ')\nexport const loads = { ${loads.join(', ')} }`
    },
  }
}
