import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import en from '#messages/en.json'
import zhCN from '#messages/zh-CN.json'
import type { ConnectionState } from '../src/generated/ConnectionState'
import type { ErrorCode } from '../src/generated/ErrorCode'
import type { Outcome } from '../src/generated/Outcome'
import type { PartName } from '../src/generated/PartName'
import type { Urgency } from '../src/generated/Urgency'

const english: Record<string, string> = en
const chinese: Record<string, string> = zhCN

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()

// Records, so that a member added in Rust is missing here until it has a text.
const states: Record<ConnectionState, 0> = { connecting: 0, connected: 0, waiting: 0, needs_attention: 0, stopped: 0, paused: 0 }
const outcomes: Record<Outcome, 0> = { shown: 0, pending: 0, summarized: 0, logged: 0, ignored: 0, closed: 0, held: 0 }
const urgencies: Record<Urgency, 0> = { low: 0, normal: 0, critical: 0 }
const parts: Record<PartName, 0> = { display: 0, session_bus: 0, notifications: 0, tray: 0, window: 0 }
const errors: Record<ErrorCode | 'unreachable' | 'timeout', 0> = {
  bad_request: 0,
  invalid_url: 0,
  unsupported_scheme: 0,
  duplicate_url: 0,
  duplicate_id: 0,
  invalid_id: 0,
  invalid_value: 0,
  conflict: 0,
  nothing_to_restore: 0,
  not_an_export: 0,
  no_such_feed: 0,
  no_such_event: 0,
  broken_config: 0,
  cannot_write: 0,
  event_log: 0,
  no_notifications: 0,
  no_window: 0,
  no_keyring: 0,
  no_link: 0,
  forbidden: 0,
  not_found: 0,
  internal: 0,
  unreachable: 0,
  timeout: 0,
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && /\.(svelte|ts)$/.test(file.name))
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))
}

describe('the catalogues', () => {
  test('have the same keys and placeholders, in order', () => {
    expect(Object.keys(chinese)).toEqual(Object.keys(english))
    expect(Object.keys(english)).toEqual(Object.keys(english).sort())
    for (const [key, text] of Object.entries(english)) {
      expect(placeholders(chinese[key] ?? ''), key).toEqual(placeholders(text))
    }
  })

  test('have a text for whatever comes over the wire', () => {
    const needed = [
      ...Object.keys(states).map((state) => `state.${state}`),
      ...Object.keys(outcomes).flatMap((outcome) => [`ui.outcome.${outcome}`, `ui.why.${outcome}`]),
      ...Object.keys(urgencies).map((urgency) => `ui.urgency.${urgency}`),
      ...Object.keys(parts).flatMap((part) => [`part.${part}`, `part.${part}_missing`]),
      ...Object.keys(errors).map((code) => `error.${code}`),
    ]
    expect(needed.filter((key) => !(key in english))).toEqual([])
  })

  test('hold every text that the window asks for, and the window asks for every text of its own', () => {
    const code = sources(join(import.meta.dirname, '../src')).join('\n')
    // `ui.name`, or `ui.name_${…}` where the last part varies.
    const asked = new Set([...code.matchAll(/['"`]((?:ui|state|reason|part)\.[\w.]+)(\$\{)?/g)].map(([, key, open]) => (open ? `${key}*` : key)))
    const answers = (pattern: string, key: string) => {
      if (pattern.endsWith('*')) return key.startsWith(pattern.slice(0, -1))
      return key === pattern || key === `${pattern}_one` || key === `${pattern}_other`
    }
    const keys = Object.keys(english)
    expect([...asked].filter((pattern) => !keys.some((key) => answers(pattern ?? '', key)))).toEqual([])
    const own = keys.filter((key) => key.startsWith('ui.'))
    expect(own.filter((key) => ![...asked].some((pattern) => answers(pattern ?? '', key)))).toEqual([])
  })
})
