import type { Event } from '../../generated/Event'
import { t, tn } from '../../i18n/messages.svelte'
import { copy } from '../../lib/copy'
import { fragment } from '../../stores/route.svelte'
import { sentence, type Stores } from '../../stores/stores'
import { Failure } from '../../transport/transport'

/** Deletes events; one message offers to take back all that were deleted while it stands. */
export async function deleteEvents(all: Stores, seqs: number[]): Promise<void> {
  const { log, toasts } = all
  await log.delete(seqs)
  const { deleted } = log
  const standing = deleted !== null && toasts.has(deleted.toast)
  if (standing) toasts.dismiss(deleted.toast)
  const gathered = standing ? [...deleted.seqs, ...seqs] : seqs
  log.deleted = { seqs: gathered, toast: toasts.show(tn('ui.detail.deleted', gathered.length), { action: undo(all) }) }
}

/** Takes the last deletion back. */
export async function undoDelete(all: Stores): Promise<void> {
  const { log, toasts } = all
  const { deleted } = log
  if (!deleted) return
  toasts.dismiss(deleted.toast)
  log.deleted = null
  try {
    await log.restore(deleted.seqs)
  } catch (thrown) {
    const failure = Failure.from(thrown)
    const final = failure.code === 'nothing_to_restore'
    const toast = toasts.show(sentence(failure), { tone: 'bad', ...(final ? {} : { action: undo(all) }) })
    if (!final) log.deleted ??= { ...deleted, toast }
  }
}

const undo = (all: Stores) => ({ label: t('ui.detail.undo'), run: () => void undoDelete(all) })

/** Goes where a rule is made from an event. */
export function makeRule({ route }: Stores, event: Event): void {
  route.go({ view: 'rules', feed: event.feed, query: new URLSearchParams({ event: String(event.seq) }) })
}

/** Puts the place where the window is on the clipboard, as a text that the palette takes. */
export async function copyView({ route, toasts }: Stores): Promise<void> {
  const place = fragment(route)
  if (await copy(place)) toasts.show(t('ui.view.copied', { place }))
  else toasts.show(t('ui.doing.not_copied'), { tone: 'bad' })
}
