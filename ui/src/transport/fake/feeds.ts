import type { Fake } from './fake'

/** What the made-up program answers about feeds. */
export function feeds(fake: Fake): void {
  void fake
}
