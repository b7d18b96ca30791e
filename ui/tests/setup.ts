import '@testing-library/jest-dom/vitest'
import { configure } from '@testing-library/svelte'
import { beforeEach } from 'vitest'
import { loadMessages } from '../src/i18n/messages.svelte'

// A deadline, not a measure: the machine may be busy.
configure({ asyncUtilTimeout: 10_000 })

// What jsdom lacks of a browser.

HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true
  this.querySelector<HTMLElement>('[autofocus]')?.focus()
}
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false
}
Element.prototype.scrollIntoView ??= function scrollIntoView() {}
globalThis.matchMedia ??= () => Object.assign(new EventTarget(), { matches: false }) as unknown as MediaQueryList
// It lays nothing out; what is there has a height all the same.
Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 600 })
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Blob.prototype.text ??= function text(this: Blob) {
  return new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error ?? new Error('not read'))
    reader.readAsText(this)
  })
}

await Promise.all([loadMessages('en'), loadMessages('zh-CN')])

beforeEach(() => {
  localStorage.clear()
  history.replaceState(null, '', location.pathname)
})
