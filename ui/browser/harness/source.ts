import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a feed's server does with requests from now on. */
export type Mood =
  /** Streams. */
  | 'open'
  /** Lets a person wait for the answer's head, for ever. */
  | 'silent'
  /** Answers with a page of HTML. */
  | 'page'
  /** Refuses by this status. */
  | number

/**
 * An event stream whose events the test makes. It numbers them from 1, and gives a client what follows its `Last-Event-ID`, so that
 * nothing is lost between a client's connections.
 */
export class Source {
  requests: IncomingMessage[] = []
  /** The value of `Authorization` without which it answers 401. */
  secret: string | undefined
  mood: Mood = 'open'
  port = 0

  #server: Server | undefined
  #events: string[] = []
  #clients = new Set<ServerResponse>()

  static async start(): Promise<Source> {
    const source = new Source()
    await source.open()
    return source
  }

  /** Listens, at the port that it had before if it had one. */
  async open(): Promise<void> {
    const server = createServer((request, answer) => this.#answer(request, answer))
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.port, '127.0.0.1', resolve))
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** How many are connected. */
  get connected(): number {
    return this.#clients.size
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events`
  }

  /** Sends an event to whoever is connected, and to whoever connects later. Data other than text is sent as JSON. */
  send(event: string, data: unknown): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    const lines = text.split('\n').map((line) => `data: ${line}\n`)
    const block = `id: ${this.#events.length + 1}\nevent: ${event}\n${lines.join('')}\n`
    this.#events.push(block)
    for (const client of this.#clients) client.write(block)
  }

  /** Breaks every connection off, without refusing the next. */
  interrupt(): void {
    this.#clients.forEach((client) => client.destroy())
    this.#clients.clear()
  }

  /** Ends; nobody listens at its port then, until it is opened again. */
  async close(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    server.closeAllConnections()
    this.#clients.clear()
    await new Promise((resolve) => server.close(resolve))
  }

  #answer(request: IncomingMessage, answer: ServerResponse): void {
    this.requests.push(request)
    if (this.mood === 'silent') return
    if (this.mood === 'page') {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>A page</title>')
      return
    }
    const refused = this.secret !== undefined && request.headers.authorization !== this.secret
    if (refused || typeof this.mood === 'number') {
      const status = refused ? 401 : (this.mood as number)
      answer.writeHead(status, status === 401 ? { 'www-authenticate': 'Bearer' } : {}).end()
      return
    }
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const last = Number(request.headers['last-event-id'] ?? 0)
    answer.write(`retry: 1000\n\n${this.#events.slice(last).join('')}`)
    this.#clients.add(answer)
    answer.on('close', () => this.#clients.delete(answer))
  }
}
