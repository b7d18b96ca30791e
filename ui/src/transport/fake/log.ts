import type { Fake } from './fake'

/** What the made-up program answers about log. */
export function log(fake: Fake): void {
  void fake
}
