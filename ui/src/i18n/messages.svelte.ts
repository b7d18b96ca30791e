import { keys, loads } from 'virtual:messages'
import type en from '#messages/en.json'
import type { Sentence } from '../generated/Sentence'

/** A language there is a catalogue for. */
export type Locale = 'en' | 'zh-CN'
export type MessageKey = keyof typeof en
/** What comes before `_one` and `_other` of a message that counts. */
export type CountKey = MessageKey extends infer Key ? (Key extends `${infer Stem}_other` ? Stem : never) : never

/** Where the language is kept that the program last told, so that nothing else is loaded first. */
const STORED = 'locale'

const catalogues: Partial<Record<Locale, Record<string, string>>> = {}

// Until the resident program tells which: before it was ever reached there is a text to show, too.
let current = $state<Locale>(asLocale(localStorage.getItem(STORED) ?? (navigator.language.startsWith('zh') ? 'zh-CN' : 'en')))

function asLocale(name: string): Locale {
  return Object.hasOwn(loads, name) ? (name as Locale) : 'en'
}

/** Fetches the texts of a language; before there are any, nothing can be shown. */
export async function loadMessages(name: string = current): Promise<void> {
  const locale = asLocale(name)
  if (catalogues[locale]) return
  const { default: texts } = await loads[locale]()
  catalogues[locale] = Object.fromEntries(keys.map((key, at) => [key, texts[at] ?? key]))
}

/** The language in use. */
export function locale(): Locale {
  return current
}

/** The same language as the person's region writes dates and numbers in it. */
export function regionalLocale(): string {
  const [language = current] = current.split('-')
  return current === 'en' ? (navigator.languages.find((tag) => tag.startsWith(language)) ?? current) : current
}

/** Changes the language, once its texts are there. */
export async function setLocale(name: string): Promise<void> {
  const locale = asLocale(name)
  wanted = locale
  await loadMessages(locale)
  // Another one may have been asked for meanwhile.
  if (wanted !== locale) return
  current = locale
  localStorage.setItem(STORED, locale)
  document.documentElement.lang = locale
}

let wanted: Locale | undefined

/** The text of a message, with `{name}` filled from `values`. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return (catalogues[current]?.[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => {
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
  return Object.hasOwn(catalogues[current] ?? {}, key) ? t(key as MessageKey, values) : undefined
}
