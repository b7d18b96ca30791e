import type { Event } from '../../generated/Event'
import { t } from '../../i18n/messages.svelte'
import { wholeDuration } from '../../i18n/times.svelte'

/** How long a popup stays, in words; empty: as the desktop likes. */
export function staysText({ expire_seconds }: Event): string {
  if (expire_seconds === null) return ''
  return expire_seconds === 0 ? t('ui.why.expire_never') : wholeDuration(expire_seconds)
}

/** What a popup sounds like; empty: as the desktop likes. */
export function soundText({ sound }: Event): string {
  return { default: '', silent: t('ui.why.sound_silent') }[sound] ?? sound
}
