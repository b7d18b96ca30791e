/** Whether a key is for an input method, such as the Enter that takes what it proposes: WebKit tells that one only by its code. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}
