import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { svelteTesting } from '@testing-library/svelte/vite'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/**
 * How the window reaches the resident program is decided here, so that the built window holds one transport and no other:
 * `production` speaks Tauri, `browser` plain HTTP through the proxy below, `showcase` to a made-up program in the page.
 */
const transports: Record<string, string> = {
  production: './src/transport/tauri.ts',
  browser: './src/transport/http.ts',
  showcase: './src/transport/showcase.ts',
}

/** Texts that the window has no use for, by the first part of their keys. */
const elsewhere = /^(alert|cli|demo|popup|resident|tray)\./

/** Makes the catalogues small in the bundle: without texts of other programs, and with the keys, which are the same, only once. */
const catalogues: Plugin = {
  name: 'catalogues',
  apply: 'build',
  enforce: 'pre',
  resolveId: (source) => (/\/control\/messages\/[\w-]+\.json$/.test(source) ? `\0${source.replace(/\.json$/, '')}` : undefined),
  load(id) {
    const [, folder = '', language] = /^\0(.*\/control\/messages\/)([\w-]+)$/.exec(id) ?? []
    if (language === undefined) return undefined
    const all = JSON.parse(readFileSync(`${folder}${language}.json`, 'utf8')) as Record<string, string>
    const texts = Object.entries(all).filter(([key]) => !elsewhere.test(key))
    if (language === 'en') return `export default ${JSON.stringify(Object.fromEntries(texts))}`
    return `import en from ${JSON.stringify(`${folder}en.json`)}
      const texts = ${JSON.stringify(texts.map(([, text]) => text))}
      export default Object.fromEntries(Object.keys(en).map((key, at) => [key, texts[at]]))`
  },
}

export default defineConfig(({ mode }) => ({
  plugins: [catalogues, svelte(), ...(mode === 'test' ? [svelteTesting()] : [])],
  resolve: {
    alias: {
      '#transport': fileURLToPath(new URL(transports[mode] ?? './src/transport/showcase.ts', import.meta.url)),
      '#messages': fileURLToPath(new URL('../src-tauri/control/messages', import.meta.url)),
    },
  },
  build: {
    target: 'safari15',
    // A data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    fs: { allow: ['.', '../src-tauri/control/messages'] },
    proxy: process.env.BELLWETHER_SOCKET
      ? {
          '/api': {
            target: { socketPath: process.env.BELLWETHER_SOCKET } as never,
            rewrite: (path: string) => path.replace(/^\/api/, ''),
          },
        }
      : undefined,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['./tests/setup.ts'],
    include: ['tests/**/*.test.ts'],
    restoreMocks: true,
    testTimeout: 60_000,
  },
}))
