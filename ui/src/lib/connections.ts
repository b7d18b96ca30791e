import type { ConnectionChange } from '../generated/ConnectionChange'
import type { ConnectionReason } from '../generated/ConnectionReason'
import type { Event } from '../generated/Event'
import { known } from '../i18n/messages.svelte'

/** Most lines between two events; a connection that comes and goes all night is told of by its newest. */
const MOST = 4

/** What is told of a connection between two events: that it was lost, that it came back, or both. */
export interface Note {
  /** The newest change's number. */
  number: number
  feed: string
  lost: ConnectionChange | null
  back: ConnectionChange | null
  /** How many further lines stand behind this one. */
  more: number
}

/** What is told above which of these events (newest first; their number: below all). Of changes known twice, one counts. */
export function notesOf(rows: Event[], changes: ConnectionChange[]): { at: number; note: Note }[] {
  const gaps = new Map<number, ConnectionChange[]>()
  const unique = new Map(changes.map((change) => [change.number, change]))
  for (const change of [...unique.values()].sort((a, b) => b.number - a.number)) {
    const at = firstAtMost(rows, change.after)
    gaps.set(at, [...(gaps.get(at) ?? []), change])
  }
  return [...gaps]
    .sort(([a], [b]) => a - b)
    .flatMap(([at, gap]) => {
      const notes = pair(gap)
      const shown = notes.slice(0, MOST)
      const last = shown.at(-1)
      if (last) last.more = notes.length - shown.length
      return shown.map((note) => ({ at, note }))
    })
}

/** Why a connection was lost, in words. */
export function reasonText({ code, detail }: ConnectionReason): string {
  return (detail === '' ? known('reason', `${code}_none`) : undefined) ?? known('reason', code, { detail }) ?? (detail || code)
}

/** The newest first: what came back, and was lost with no event in between, is one. */
function pair(changes: ConnectionChange[]): Note[] {
  const notes: Note[] = []
  const backs = new Map<string, Note>()
  for (const change of changes) {
    const open = backs.get(change.feed)
    backs.delete(change.feed)
    if (change.kind === 'lost' && open) {
      open.lost = change
      continue
    }
    const note: Note = { number: change.number, feed: change.feed, lost: null, back: null, more: 0 }
    if (change.kind === 'back') {
      note.back = change
      backs.set(change.feed, note)
    } else {
      note.lost = change
    }
    notes.push(note)
  }
  return notes
}

/** The index of the first event whose number is `seq` or smaller. */
function firstAtMost(rows: Event[], seq: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.seq ?? 0) <= seq) high = middle
    else low = middle + 1
  }
  return low
}
