/** Made of the catalogues by `vite.messages.ts`. */
declare module 'virtual:messages' {
  /** The keys of all messages of the window. */
  export const keys: string[]
  /** Their texts in each language, in the same order. */
  export const loads: Record<'en' | 'zh-CN', () => Promise<{ default: string[] }>>
}
