/** Every message that the window may show, in English and in Chinese; `vite.config.ts` makes it. */
declare module '#catalogue' {
  const texts: Record<string, [en: string, zhCN: string]>
  export default texts
}
