import type { Fake } from './fake'

/** What the made-up program answers about settings. */
export function settings(fake: Fake): void {
  void fake
}
