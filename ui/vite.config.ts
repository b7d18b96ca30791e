import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { svelteTesting } from '@testing-library/svelte/vite'
import { defineConfig } from 'vitest/config'
import { messages } from './vite.messages'

/**
 * How the window reaches the resident program is decided here, so that the built window holds one transport and no other:
 * `production` speaks Tauri, `browser` plain HTTP through the proxy below, `showcase` to a made-up program in the page.
 */
const transports: Record<string, string> = {
  production: './src/transport/tauri.ts',
  browser: './src/transport/http.ts',
  showcase: './src/transport/showcase.ts',
}

const catalogues = fileURLToPath(new URL('../src-tauri/control/messages', import.meta.url))

export default defineConfig(({ mode }) => ({
  plugins: [messages(catalogues), svelte(), ...(mode === 'test' ? [svelteTesting()] : [])],
  resolve: {
    alias: {
      '#transport': fileURLToPath(new URL(transports[mode] ?? './src/transport/showcase.ts', import.meta.url)),
      '#messages': catalogues,
    },
  },
  build: {
    // WebKitGTK 2.40, macOS 11 with its last Safari, WebView2.
    target: 'safari16.4',
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
    unstubGlobals: true,
    testTimeout: 60_000,
  },
}))
