import { invoke } from '@tauri-apps/api/core'
import type { Update } from '../generated/Update'
import { Failure, inTime, type Transport } from './transport'

/** Through the window's own program, which holds the socket. */
export const transport: Transport = {
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    try {
      return await inTime(path, invoke<T>('request', { method, path, body: body ?? null }))
    } catch (thrown) {
      throw Failure.from(thrown)
    }
  },

  async follow(receive, signal) {
    try {
      for (let begin = true; !signal.aborted; begin = false) {
        const updates = await invoke<Update[]>('updates', { begin })
        for (const update of updates) if (!signal.aborted) receive(update)
      }
    } catch (thrown) {
      throw Failure.from(thrown)
    }
  },
}
