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

const messages = fileURLToPath(new URL('../src-tauri/control/messages', import.meta.url))
/** Families of messages that only the resident program and the command line have a use for. */
const ELSEWHERE = /^(cli|demo|popup|tray|resident|alert)\./

/** Both languages' texts side by side in one module, `#catalogue`: a key stands there once. */
function catalogue(): Plugin {
  const files = ['en', 'zh-CN'].map((name) => `${messages}/${name}.json`)
  return {
    name: 'catalogue',
    resolveId: (id) => (id === '#catalogue' ? '\0catalogue' : undefined),
    load(id) {
      if (id !== '\0catalogue') return undefined
      for (const file of files) this.addWatchFile(file)
      const [en = {}, zhCN = {}] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)
      const texts = Object.entries(en).filter(([key]) => !ELSEWHERE.test(key))
      return `export default ${JSON.stringify(Object.fromEntries(texts.map(([key, text]) => [key, [text, zhCN[key] ?? text]])))}`
    },
  }
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), catalogue(), ...(mode === 'test' ? [svelteTesting()] : [])],
  resolve: {
    alias: {
      '#transport': fileURLToPath(new URL(transports[mode] ?? './src/transport/showcase.ts', import.meta.url)),
      '#messages': messages,
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
