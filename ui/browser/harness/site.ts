import { existsSync, readFileSync } from 'node:fs'
import { createServer, request as http, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { built } from './build'

const KINDS: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** The content security policy of the real window, but that its ways to the program are this site's. */
export const policy = (() => {
  const file = new URL('../../../src-tauri/window/tauri.conf.json', import.meta.url)
  const { csp } = (JSON.parse(readFileSync(file, 'utf8')) as { app: { security: { csp: Record<string, string> } } }).app.security
  return Object.entries({ ...csp, 'connect-src': "'self'" })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')
})()

/** The built window on 127.0.0.1, and below `/api` the control socket of a resident program. */
export class Site {
  /** Requests to the program whose path begins so are answered only once this is empty again. */
  held = ''
  #waiting: (() => void)[] = []
  #server: Server

  private constructor(readonly socket: string) {
    this.#server = createServer((request, answer) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname
      if (!path.startsWith('/api/')) return answer.writeHead(...head(path)).end(body(path))
      const pass = () => {
        const headers = { ...request.headers, host: 'localhost' }
        const asked = http({ socketPath: this.socket, method: request.method, path: request.url?.slice(4), headers }, (given) => {
          answer.writeHead(given.statusCode ?? 502, given.headers)
          given.pipe(answer)
          given.on('error', () => answer.destroy())
        })
        // What the window sees where the program is not running.
        asked.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
        answer.on('close', () => asked.destroy())
        request.pipe(asked)
      }
      if (this.held !== '' && path.startsWith(`/api${this.held}`)) this.#waiting.push(pass)
      else pass()
    })
  }

  static async start(socket: string): Promise<Site> {
    const site = new Site(socket)
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve))
    return site
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Lets requests that were held back go on. */
  release(): void {
    this.held = ''
    this.#waiting.splice(0).forEach((pass) => pass())
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function file(path: string): string | undefined {
  const file = join(built, normalize(path === '/' ? '/index.html' : path))
  return file.startsWith(built) && existsSync(file) ? file : undefined
}

function head(path: string): [number, Record<string, string>] {
  const found = file(path)
  const kind = KINDS[extname(found ?? '')] ?? 'application/octet-stream'
  return [found ? 200 : 404, { 'content-type': kind, 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }]
}

function body(path: string): Buffer | string {
  const found = file(path)
  return found ? readFileSync(found) : ''
}
