import { Channel, invoke } from '@tauri-apps/api/core'
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
    const channel = new Channel<Update>()
    channel.onmessage = (update) => {
      if (!signal.aborted) receive(update)
    }
    try {
      await invoke('updates', { channel })
    } catch (thrown) {
      throw Failure.from(thrown)
    }
  },
}
