import { t } from '../../i18n/messages.svelte'
import { untilTime } from '../../i18n/times.svelte'
import { EVERYTHING, type Filter } from '../../stores/log-filter'

/** A condition of a filter, in words, and what takes it away. */
export interface ActiveFilter {
  id: string
  text: string
  without: Partial<Filter>
}

/** What narrows the list, the feed aside: that is the place which the window shows. */
export function activeFilters(filter: Filter): ActiveFilter[] {
  const found: ActiveFilter[] = []
  const add = (id: string, when: boolean, text: () => string, without: Partial<Filter>) => when && found.push({ id, text: text(), without })
  add('search', filter.search.trim() !== '', () => t('ui.filter.chip_search', { search: filter.search.trim() }), { search: EVERYTHING.search })
  add('unread', filter.unread, () => t('ui.log.show_unread'), { unread: false })
  add('event', filter.event !== null, () => t('ui.filter.chip_event', { event: filter.event ?? '' }), { event: null })
  for (const outcome of filter.outcomes) {
    add(`outcome ${outcome}`, true, () => t(`ui.outcome.${outcome}`), { outcomes: filter.outcomes.filter((other) => other !== outcome) })
  }
  add('time', filter.time !== null, () => t(`ui.filter.time_${filter.time ?? 'any'}`), { time: null })
  if (filter.time === null) {
    add('from', filter.from !== '', () => t('ui.filter.chip_from', { time: moment(filter.from) }), { from: '' })
    add('to', filter.to !== '', () => t('ui.filter.chip_to', { time: moment(filter.to) }), { to: '' })
  }
  add('summary', filter.summary !== null, () => t('ui.log.summary'), { summary: null })
  return found
}

const moment = (local: string) => untilTime(new Date(local).toISOString())
