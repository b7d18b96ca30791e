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
  return key
    .split(/\+(?=.)/)
    .map((part) => names()[part] ?? (part.length === 1 ? part.toUpperCase() : part))
}

function names(): Record<string, string> {
  return {
    ArrowDown: '↓',
    ArrowUp: '↑',
    ArrowLeft: '←',
    ArrowRight: '→',
    Ctrl: mac ? '⌘' : 'Ctrl',
    Escape: 'Esc',
    Delete: t('ui.keys.delete'),
    ' ': t('ui.keys.space'),
  }
}

/** Keys of the log, for the sheet when another view is there. */
export function elsewhere(): Omit<Command, 'run'>[] {
  return [
    { id: 'events.next', group: 'events', label: t('ui.keys.move'), keys: ['j', 'ArrowDown'] },
    { id: 'events.previous', group: 'events', label: t('ui.keys.move'), keys: ['k', 'ArrowUp'] },
    { id: 'events.open', group: 'events', label: t('ui.keys.open'), keys: ['Enter'] },
    { id: 'events.search', group: 'events', label: t('ui.keys.search'), keys: ['/'] },
    { id: 'events.back', group: 'events', label: t('ui.keys.close'), keys: ['Escape'] },
  ]
}
