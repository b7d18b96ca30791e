import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** Where the window that speaks plain HTTP lies once it is built. */
export const built = fileURLToPath(new URL('../../node_modules/.browser', import.meta.url))

/** Builds it, once for all tests. */
export default async function globalSetup(): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  await build({ root, mode: 'browser', logLevel: 'warn', build: { outDir: built, emptyOutDir: true, reportCompressedSize: false } })
}
