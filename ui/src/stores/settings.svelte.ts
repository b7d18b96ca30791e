import { SvelteMap } from 'svelte/reactivity'
import type { Language } from '../generated/Language'
import type { Settings } from '../generated/Settings'
import type { SettingsEdit } from '../generated/SettingsEdit'
import type { Status } from '../generated/Status'
import type { Theme } from '../generated/Theme'
import { Failure } from '../transport/transport'
import { Doing } from './doing.svelte'
import type { Resident } from './resident.svelte'

/**
 * The program's own settings. A change shows at once; until the program has taken it, and after it refused, it is a wish that stays
 * in sight, so that nothing typed is lost.
 */
export class SettingsStore {
  /** Why they could not be fetched. */
  failure = $state.raw<Failure | null>(null)
  loading = $state(false)

  #known = $state.raw<Settings | null>(null)
  #wishes = new SvelteMap<keyof SettingsEdit, SettingsEdit>()
  /** Counts the changes that the program has taken. */
  #changes = 0
  #doings = new Map<keyof SettingsEdit, Doing>()

  /** The settings with all that was wished for. */
  readonly value = $derived.by(() => {
    const known = this.#known
    return known && [...this.#wishes.values()].reduce(changed, known)
  })
  /** As the program has them. */
  get known(): Settings | null {
    return this.#known
  }

  constructor(readonly resident: Resident) {}

  get theme(): Theme | undefined {
    return this.#wishes.get('theme')?.theme ?? this.resident.status?.theme
  }

  get language(): Language | undefined {
    return this.#wishes.get('language')?.language ?? this.resident.status?.language
  }

  /** How the change of a setting fares. */
  doing(name: keyof SettingsEdit): Doing {
    let doing = this.#doings.get(name)
    if (!doing) this.#doings.set(name, (doing = new Doing()))
    return doing
  }

  async load(): Promise<void> {
    this.loading = true
    try {
      let [asked, known]: [number, Settings | null] = [-1, null]
      // An answer may be older than a change that was taken since the question.
      while (asked !== this.#changes) {
        asked = this.#changes
        known = await this.resident.transport.request<Settings>('GET', '/settings')
      }
      this.#known = known
      this.failure = null
    } catch (thrown) {
      this.failure = Failure.from(thrown)
    }
    this.loading = false
  }

  /** Changes one setting. A change that follows while one is under way is sent after it. */
  set<Name extends keyof SettingsEdit>(name: Name, value: Required<SettingsEdit>[Name]): void {
    this.#wishes.set(name, { [name]: value })
    if (this.doing(name).state !== 'doing') void this.#send(name)
  }

  /** Sends what failed once more. */
  retry(name: keyof SettingsEdit): void {
    if (this.doing(name).state === 'failed') void this.#send(name)
  }

  /** Forgets what failed. */
  discard(name: keyof SettingsEdit): void {
    this.#wishes.delete(name)
    this.doing(name).reset()
  }

  /** The program is there again: what it was not there for is sent anew. */
  resume(): void {
    for (const name of this.#wishes.keys()) {
      const code = this.doing(name).failure?.code
      if (code === 'unreachable' || code === 'timeout') this.retry(name)
    }
  }

  async #send(name: keyof SettingsEdit): Promise<void> {
    const doing = this.doing(name)
    doing.begin()
    for (let wish = this.#wishes.get(name); wish; wish = this.#wishes.get(name)) {
      try {
        this.resident.take(await this.resident.transport.request<Status>('PATCH', '/settings', wish))
      } catch (thrown) {
        // A newer wish may be one that the program takes.
        if (this.#wishes.get(name) !== wish) continue
        return doing.fail(thrown)
      }
      this.#changes += 1
      if (this.#known) this.#known = changed(this.#known, wish)
      if (this.#wishes.get(name) === wish) this.#wishes.delete(name)
    }
    doing.end()
  }
}

function changed(settings: Settings, { language: _language, theme: _theme, autostart, ...edit }: SettingsEdit): Settings {
  const enabled = autostart ?? settings.autostart.enabled
  return { ...settings, ...edit, autostart: { ...settings.autostart, enabled } }
}
