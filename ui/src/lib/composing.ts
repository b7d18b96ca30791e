/** Whether a key belongs to an input method that is still composing a text: Enter and Escape there are no commands. */
export function isComposing(event: KeyboardEvent): boolean {
  // WebKit ends the composition before it tells of the key that ended it, but gives that key this number.
  return event.isComposing || event.keyCode === 229
}
