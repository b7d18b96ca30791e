import type { Event } from '../../generated/Event'
import { t, tn } from '../../i18n/messages.svelte'
import type { Stores } from '../../stores/stores'

/** Deletes events, which can be taken back for as long as it is told. */
export async function deleteEvents({ log, toasts, attempt }: Stores, seqs: number[]): Promise<void> {
  await log.delete(seqs)
  const undo = { label: t('ui.detail.undo'), run: () => void attempt(() => log.restore(seqs)) }
  toasts.show(tn('ui.detail.deleted', seqs.length), { action: undo })
}

/** Goes where a rule is made from an event. */
export function makeRule({ route }: Stores, event: Event): void {
  route.go({ view: 'rules', feed: event.feed, query: new URLSearchParams({ event: String(event.seq) }) })
}
