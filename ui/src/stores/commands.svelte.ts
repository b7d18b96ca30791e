import { untrack } from 'svelte'
import type { IconName } from '../parts/Icon.svelte'

/** Something that a person can ask for by key or by name. */
export interface Command {
  /** Its own name, such as `events.delete`. */
  id: string
  /** What it does, in the language in use. */
  label: string
  /** Under which heading the sheet of keys has it. */
  group: 'go' | 'events' | 'feeds' | 'rules' | 'program'
  /**
   * Keys, each of which does it, as `KeyboardEvent.key` names them; `Ctrl+k` with the control (on macOS the command) key,
   * `Alt+ArrowUp` with the alternative key, which arrows alone are pressed with: on letters it writes others.
   */
  keys?: string[]
  icon?: IconName
  /** Words by which it is found beside its label. */
  also?: string
  /** Whether its keys stand for it at this press: some do so only where the focus is on what they are about. */
  when?: (event: KeyboardEvent) => boolean
  /** Done by a key alone: it has no place in the palette. */
  keysOnly?: boolean
  run: () => void
}

/** What can be asked for where the window is now: each view brings its own while it is there. */
export class Commands {
  #sets = $state.raw<Command[][]>([])
  /** Those of views come before those that are always there. */
  readonly list = $derived(this.#sets.flat())

  /** Offers these until the returned function is called. */
  offer(commands: Command[]): () => void {
    // Offered from within effects, which must not run anew because of it.
    untrack(() => (this.#sets = [commands, ...this.#sets]))
    return () => untrack(() => (this.#sets = this.#sets.filter((set) => set !== commands)))
  }

  /** Does what a key stands for; whether it stands for anything. */
  press(event: KeyboardEvent): boolean {
    const command = this.list.find(({ keys, when }) => keys?.includes(keyOf(event)) && (when?.(event) ?? true))
    command?.run()
    return command !== undefined
  }
}

/** A key as {@link Command.keys} names it. */
export function keyOf(event: KeyboardEvent): string {
  if (event.altKey) return event.key.startsWith('Arrow') && !event.ctrlKey ? `Alt+${event.key}` : ''
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.key}`
}
