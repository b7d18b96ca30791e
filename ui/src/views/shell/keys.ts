import { t } from '../../i18n/messages.svelte'
import type { Command } from '../../stores/commands.svelte'

/** The groups of commands, as the sheet of keys and the palette have them, one after another. */
export const GROUPS: readonly Command['group'][] = ['events', 'feeds', 'rules', 'go', 'program']

export function groupName(group: Command['group']): string {
  return {
    events: t('ui.group.events'),
    feeds: t('ui.group.feeds'),
    rules: t('ui.group.rules'),
    go: t('ui.group.go'),
    program: t('ui.group.program'),
  }[group]
}

const mac = /^Mac|^iPhone|^iPad/.test(navigator.platform)

/** A key as it is written on the keyboard, each part by itself: `Ctrl`, `K`. */
export function keyCaps(key: string): string[] {
  // A capital letter is one with the shift key.
  return key.split(/\+(?=.)/).flatMap((part) => (/^[A-Z]$/.test(part) ? ['Shift', part] : [names()[part] ?? (part.length === 1 ? part.toUpperCase() : part)]))
}

function names(): Record<string, string> {
  return {
    ArrowDown: '↓',
    ArrowUp: '↑',
    ArrowLeft: '←',
    ArrowRight: '→',
    Ctrl: mac ? '⌘' : 'Ctrl',
    Alt: mac ? '⌥' : 'Alt',
    PageDown: 'PgDn',
    PageUp: 'PgUp',
    Escape: 'Esc',
    Delete: t('ui.keys.delete'),
    ' ': t('ui.keys.space'),
  }
}

/** Keys of views, for the sheet when another view is there. What stands here is what the views offer. */
export function elsewhere(): Omit<Command, 'run'>[] {
  const events: [id: string, label: string, ...keys: string[]][] = [
    ['next', t('ui.keys.move'), 'j'],
    ['previous', t('ui.keys.move'), 'k'],
    ['down', t('ui.keys.move'), 'ArrowDown'],
    ['up', t('ui.keys.move'), 'ArrowUp'],
    ['page-down', t('ui.keys.page'), 'PageDown'],
    ['page-up', t('ui.keys.page'), 'PageUp'],
    ['first', t('ui.keys.ends'), 'Home'],
    ['last', t('ui.keys.ends'), 'End'],
    ['open', t('ui.keys.open'), 'Enter'],
    ['back', t('ui.keys.close'), 'Escape'],
    ['search', t('ui.keys.search'), '/'],
    ['rendered', t('ui.detail.rendered'), '1'],
    ['raw', t('ui.detail.raw'), '2'],
    ['why', t('ui.detail.why'), '3'],
    ['read', t('ui.keys.read'), 'u'],
    ['link', t('ui.detail.open_link'), 'o'],
    ['rule', t('ui.detail.make_rule'), 'm'],
    ['delete', t('ui.detail.delete'), 'Delete'],
    ['undo', t('ui.detail.undo_deleted'), 'Ctrl+z'],
    ['select-all', t('ui.select.all'), 'Ctrl+a'],
    ['extend-next', t('ui.select.more'), 'J'],
    ['extend-previous', t('ui.select.more'), 'K'],
    ['export', t('ui.export.label'), 'e'],
  ]
  const rules: [id: string, label: string, ...keys: string[]][] = [
    ['add', t('ui.rules.add'), 'a'],
    ['save', t('ui.rules.save'), 'Ctrl+s'],
    ['up', t('ui.rules.up'), 'Alt+ArrowUp'],
    ['down', t('ui.rules.down'), 'Alt+ArrowDown'],
    ['back', t('ui.rules.back'), 'Escape'],
  ]
  return [
    ...events.map(([id, label, ...keys]) => ({ id: `events.${id}`, group: 'events' as const, label, keys })),
    ...rules.map(([id, label, ...keys]) => ({ id: `rules.${id}`, group: 'rules' as const, label, keys })),
  ]
}
