// Before the first paint: the colours that the window had when it was last open. `stores/appearance.svelte.ts` keeps them.
;(function () {
  var theme = null
  try {
    theme = localStorage.getItem('theme')
  } catch (error) {
    // Without storage it is as the system has it.
  }
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
