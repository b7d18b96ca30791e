import { readFileSync } from 'node:fs'

export type Language = 'en' | 'zh-CN'

type Catalogue = Record<string, string>

const read = (language: Language) =>
  JSON.parse(readFileSync(new URL(`../../../src-tauri/control/messages/${language}.json`, import.meta.url), 'utf8')) as Catalogue

const catalogues: Record<Language, Catalogue> = { en: read('en'), 'zh-CN': read('zh-CN') }

/** The texts that a person reads, by their keys. */
export class Words {
  constructor(readonly language: Language) {}

  /** A text with these values in its places. */
  say(key: string, values: Record<string, string | number> = {}): string {
    const text = catalogues[this.language][key]
    if (text === undefined) throw new Error(`the catalogues have no text ${key}`)
    return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))
  }

  /** A text as a pattern: whatever may stand in its places. */
  like(key: string): RegExp {
    const plain = this.say(key).replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    return new RegExp(plain.replace(/\{\w+\}/g, '.*'))
  }
}
