import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { leashed } from './desktop'
import { until } from './until'

const folder = fileURLToPath(new URL('../../../tests/servers/', import.meta.url))

/** One of the documents' servers in `tests/servers`, on 127.0.0.1 at a free port. */
export class Server {
  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
  ) {}

  /** Document 001, with an event every 50 ms. */
  static koa(): Promise<Server> {
    return Server.#start((port) => ['node', [`${folder}001_koa.js`, String(port)]], { PERIOD_MS: '50', RETRY_MS: '200' })
  }

  /** Whether there is a PHP to run documents 000, 003 and 004. */
  static get hasPhp(): boolean {
    return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/php`))
  }

  /** Documents 000, 003 and 004. */
  static php(): Promise<Server> {
    const flags = ['-q', '-d', 'output_buffering=0', '-d', 'display_errors=0', '-S']
    return Server.#start((port) => ['php', [...flags, `127.0.0.1:${port}`, '-t', `${folder}php`]], { PHP_CLI_SERVER_WORKERS: '16' })
  }

  static async #start(command: (port: number) => [string, string[]], env: Record<string, string>): Promise<Server> {
    const port = await freePort()
    const server = new Server(port, leashed(...command(port), { PATH: process.env.PATH ?? '', ...env }))
    await until('the server to listen', () => reachable(port))
    return server
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.stdin?.end()
    await ended
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function reachable(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(undefined))
    socket.on('connect', () => socket.end())
  })
}
