import { t } from '../i18n/messages.svelte'
import { Failure } from '../transport/transport'

/** Puts a text on the clipboard; says whether that worked. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** Puts a text on the clipboard, or throws a `Failure` that says it did not work. */
export async function copyOrFail(text: string): Promise<void> {
  if (!(await copy(text))) throw new Failure('internal', t('ui.doing.not_copied'))
}

/** Some system webviews have no clipboard interface, but copy what is selected. */
function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'offscreen'
  document.body.append(field)
  field.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    field.remove()
  }
}
