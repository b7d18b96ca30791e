import texts from '#catalogue'
import type en from '#messages/en.json'
import type { Sentence } from '../generated/Sentence'

/** A language there is a catalogue for. */
export type Locale = 'en' | 'zh-CN'
export type MessageKey = keyof typeof en
/** What comes before `_one` and `_other` of a message that counts. */
export type CountKey = MessageKey extends infer Key ? (Key extends `${infer Stem}_other` ? Stem : never) : never

/** Where a language's text stands beside the others'. */
const places: Record<Locale, 0 | 1> = { en: 0, 'zh-CN': 1 }

// Until the resident program tells which: before it was ever reached there is a text to show, too.
let current = $state<Locale>(navigator.language.startsWith('zh') ? 'zh-CN' : 'en')

/** The language in use. */
export function locale(): Locale {
  return current
}

/** The same language as the person's region writes dates and numbers in it. */
export function regionalLocale(): string {
  const [language = current] = current.split('-')
  return current === 'en' ? (navigator.languages.find((tag) => tag.startsWith(language)) ?? current) : current
}

export function setLocale(name: string): void {
  current = name in places ? (name as Locale) : 'en'
  document.documentElement.lang = current
}

/** The text of a message, with `{name}` filled from `values`. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return (texts[key]?.[places[current]] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? new Intl.NumberFormat(regionalLocale()).format(value) : value
  })
}

/** The text of a message that counts, in the form that the language uses for `count`. */
export function tn(key: CountKey, count: number, values: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(current).select(count) === 'one' ? 'one' : 'other'
  return t(`${key}_${form}` as MessageKey, { ...values, count })
}

/** A sentence from the resident program; in English if this window does not know its code. */
export function told(sentence: Sentence): string {
  return known('mistake', sentence.code, sentence.params) ?? sentence.message
}

/** The text of a message whose last part comes over the wire; `undefined` if this window does not know it. */
export function known(family: 'reason' | 'outcome' | 'error' | 'part' | 'mistake' | 'probe', code: string, values?: Sentence['params'] | Record<string, string | number>) {
  const key = `${family}.${code}`
  return Object.hasOwn(texts, key) ? t(key as MessageKey, values) : undefined
}
