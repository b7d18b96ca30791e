import { getContext, setContext } from 'svelte'
import { known, t, told } from '../i18n/messages.svelte'
import { Failure, type Transport } from '../transport/transport'
import { Appearance } from './appearance.svelte'
import { Commands } from './commands.svelte'
import { Feeds } from './feeds.svelte'
import { Log } from './log.svelte'
import { Resident } from './resident.svelte'
import { Route } from './route.svelte'
import { Rules } from './rules.svelte'
import { SettingsStore } from './settings.svelte'
import { Toasts } from './toasts.svelte'

const KEY = Symbol('window')

/** All that the views share: one store for each of them. */
export interface Stores {
  route: Route
  commands: Commands
  resident: Resident
  log: Log
  feeds: Feeds
  rules: Rules
  appearance: Appearance
  settings: SettingsStore
  toasts: Toasts
  /** Runs what a person asked for, and tells when it failed. */
  attempt(action: () => Promise<unknown>): Promise<void>
}

export function provideStores(transport: Transport): Stores {
  const route = new Route()
  const resident = new Resident(transport)
  const toasts = new Toasts()
  return setContext<Stores>(KEY, {
    route,
    commands: new Commands(),
    resident,
    log: new Log(transport, route),
    feeds: new Feeds(resident),
    rules: new Rules(transport),
    appearance: new Appearance(),
    settings: new SettingsStore(resident),
    toasts,
    async attempt(action) {
      try {
        await action()
      } catch (thrown) {
        toasts.show(sentence(Failure.from(thrown)), { tone: 'bad' })
      }
    },
  })
}

export function stores(): Stores {
  return getContext<Stores>(KEY)
}

/** A failure in the person's language. */
export function sentence(failure: Failure): string {
  const detail = failure.sentence ? told(failure.sentence) : failure.detail || failure.message
  return known('error', failure.code, { detail }) ?? t('error.internal', { detail: failure.message })
}
