import { t } from '../../i18n/messages.svelte'
import type { IconName } from '../../parts/Icon.svelte'

/** The settings' sections, as the address names them. */
export const SECTIONS = ['notifications', 'quiet-hours', 'general', 'log', 'backup', 'feeds-toml', 'diagnostics', 'about'] as const
export type Section = (typeof SECTIONS)[number]

export const icons: Record<Section, IconName> = {
  notifications: 'bell',
  'quiet-hours': 'moon',
  general: 'sliders',
  log: 'list',
  backup: 'down-tray',
  'feeds-toml': 'file',
  diagnostics: 'doctor',
  about: 'info',
}

/** The section that an address names; the first one if it names none. */
export function sectionOf(name: string): Section {
  return SECTIONS.find((section) => section === name) ?? 'notifications'
}

export function sectionName(section: Section): string {
  return {
    notifications: t('ui.settings.notifications'),
    'quiet-hours': t('ui.settings.quiet_hours'),
    general: t('ui.settings.general'),
    log: t('ui.settings.log'),
    backup: t('ui.settings.backup'),
    'feeds-toml': t('ui.settings.feeds_toml'),
    diagnostics: t('ui.settings.diagnostics'),
    about: t('ui.settings.about'),
  }[section]
}

/** Words by which a section is found beside its name. */
export function sectionWords(section: Section): string {
  return {
    notifications: t('ui.settings.notifications_words'),
    'quiet-hours': t('ui.settings.quiet_hours_words'),
    general: t('ui.settings.general_words'),
    log: t('ui.settings.log_words'),
    backup: t('ui.settings.backup_words'),
    'feeds-toml': t('ui.settings.feeds_toml_words'),
    diagnostics: t('ui.settings.diagnostics_words'),
    about: t('ui.settings.about_words'),
  }[section]
}
