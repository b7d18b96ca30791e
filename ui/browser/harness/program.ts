import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as http } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '../../src/generated/Event'
import type { EventPage } from '../../src/generated/EventPage'
import type { Feed } from '../../src/generated/Feed'
import type { RuleDraft } from '../../src/generated/RuleDraft'
import type { Status } from '../../src/generated/Status'
import { type Environment, leashed } from './desktop'
import { until } from './until'

/** The real resident program in a profile of its own. */
export class Program {
  readonly profile: string
  #process: ChildProcess | undefined
  #complaints = ''

  #own: boolean

  /** `environment`: of a desktop; left out: without display and bus. `profile`: one that is there, and stays. */
  constructor(environment?: Environment, profile?: string) {
    this.#own = profile === undefined
    // A socket's path holds about 100 bytes at most.
    this.profile = profile ?? mkdtempSync(join(tmpdir(), 'bw-'))
    const bare = {
      PATH: process.env.PATH ?? '',
      LANG: 'C.UTF-8',
      // Else libraries fall back to the user's own bus.
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus',
    }
    // What it writes into a home folder is this program's own.
    this.environment = { ...(environment ?? bare), HOME: join(this.profile, 'home'), XDG_CONFIG_HOME: join(this.profile, 'config') }
  }

  readonly environment: Environment

  static get path(): string {
    const path = process.env.BELLWETHER_BIN
    if (!path) throw new Error('BELLWETHER_BIN does not name the resident program: `cargo xtask test` sets it')
    return path
  }

  get socket(): string {
    return join(this.profile, 'control.sock')
  }

  /** Its `feeds.toml`, as it is now; empty if there is none. */
  get toml(): string {
    try {
      return readFileSync(join(this.profile, 'feeds.toml'), 'utf8')
    } catch {
      return ''
    }
  }

  set toml(text: string) {
    writeFileSync(join(this.profile, 'feeds.toml'), text)
  }

  /** Starts it without a window and waits until its control socket answers. */
  async start(): Promise<void> {
    const started = leashed(Program.path, ['--profile', this.profile, '--background'], this.environment)
    started.stderr?.on('data', (text) => (this.#complaints += text))
    this.#process = started
    await until('the program to answer', async () => {
      if (started.exitCode !== null) throw new Error(`bellwether ended at its start: ${this.#complaints}`)
      return this.status().catch(() => undefined)
    })
  }

  /** Whether it runs, and what it has complained of: for a test that failed. */
  get fate(): string {
    const { exitCode, signalCode } = this.#process ?? {}
    return `ended: ${signalCode ?? exitCode ?? 'no'}\n${this.#complaints}`
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    await this.#end((pid) => process.kill(-pid, 'SIGKILL'))
  }

  /** One request on the control socket; what it answers, or an error with the status. */
  request<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const asked = http({ socketPath: this.socket, method, path, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part) => (text += part))
        answer.on('end', () => {
          const fine = answer.statusCode !== undefined && answer.statusCode < 300
          if (fine) resolve((text === '' ? undefined : JSON.parse(text)) as T)
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
        })
      })
      asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  status(): Promise<Status> {
    return this.request('GET', '/status')
  }

  async feed(id: string): Promise<Feed> {
    const feed = (await this.status()).feeds.find((feed) => feed.id === id)
    if (!feed) throw new Error(`there is no feed ${id}`)
    return feed
  }

  /** Adds a feed by this id, and waits until it is connected. */
  async add(id: string, url: string, more: object = {}): Promise<void> {
    await this.request('POST', '/feeds', { id, name: id[0]?.toUpperCase() + id.slice(1), url, ...more })
    await until(`${id} to be connected`, async () => (await this.feed(id)).connection.state === 'connected' || undefined)
  }

  /** Events, newest first. */
  async events(query = ''): Promise<Event[]> {
    return (await this.request<EventPage>('GET', `/events?limit=1000&${query}`)).events
  }

  /** Replaces a feed's rules. */
  async rules(id: string, ...rules: RuleDraft[]): Promise<void> {
    await this.request('PUT', `/feeds/${id}/rules`, { rules: rules.map((rule) => ({ rule })) })
  }

  /** Waits until an event of this title is in the log. */
  event(title: string, fits: (event: Event) => boolean = () => true): Promise<Event> {
    return until(`the event “${title}”`, async () => (await this.events()).find((event) => event.title === title && fits(event)))
  }

  /** Ends it and takes its profile away. */
  async end(): Promise<void> {
    await this.#end(() => this.request('POST', '/quit').catch(() => this.#process?.stdin?.end()))
    if (this.#own) rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }

  async #end(how: (pid: number) => unknown): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (running?.pid === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    await how(running.pid)
    await ended
    // Its leash is let go of.
    running.stdin?.end()
  }
}
