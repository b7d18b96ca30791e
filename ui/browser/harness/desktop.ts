import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const tests = fileURLToPath(new URL('../../../tests/desktop/', import.meta.url))
const run = promisify(execFile)

export type Environment = Record<string, string>

/** Runs a command and ends it, and its process group, with this process: see `tests/desktop/leash`. */
export function leashed(program: string, arguments_: string[], env: Environment): ChildProcess {
  return spawn('/bin/sh', [`${tests}leash`, program, ...arguments_], { env, detached: true, stdio: ['pipe', 'ignore', 'pipe'] })
}

/** A throw-away desktop (`tests/desktop/with-desktop`): session bus, display, notification server, tray, keyring. */
export class Desktop {
  private constructor(
    readonly environment: Environment,
    readonly folder: string,
    readonly session: ChildProcess,
  ) {}

  /** Why there can be none on this machine, if so. */
  static missing(): string | undefined {
    const programs = ['Xvfb', 'openbox', 'dunst', 'xfce4-panel', 'dbus-daemon', 'gdbus', 'gnome-keyring-daemon']
    const folders = (process.env.PATH ?? '').split(':')
    const missing = programs.filter((program) => !folders.some((folder) => existsSync(`${folder}/${program}`)))
    return missing.length > 0 ? `no ${missing.join(', ')} on this machine` : undefined
  }

  static async start(): Promise<Desktop> {
    const script = 'env -0 >"$DESKTOP_DIR/env"; echo "desktop: $DESKTOP_DIR"; exec cat'
    const session = spawn('bash', [`${tests}with-desktop`, '--keyring', '--', 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let complaints = ''
    session.stderr.on('data', (text) => (complaints += text))
    const folder = await new Promise<string>((resolve, reject) => {
      createInterface(session.stdout).on('line', (line) => line.startsWith('desktop: ') && resolve(line.slice(9)))
      session.on('exit', () => reject(new Error(`no desktop: ${complaints}`)))
    })
    const entries = readFileSync(`${folder}/env`, 'utf8').split('\0').filter(Boolean)
    const pair = (entry: string) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]
    return new Desktop(Object.fromEntries(entries.map(pair)) as Environment, folder, session)
  }

  /** How many popups are shown now. */
  async popups(): Promise<number> {
    return Number((await run('dunstctl', ['count', 'displayed'], { env: this.environment })).stdout)
  }

  /** The summaries of the popups that are gone, newest first. */
  async closePopups(): Promise<void> {
    await run('dunstctl', ['close-all'], { env: this.environment })
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.session.once('exit', resolve))
    this.session.stdin?.end()
    await ended
  }
}
