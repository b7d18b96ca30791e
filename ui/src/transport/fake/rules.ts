import type { Fake } from './fake'

/** What the made-up program answers about rules. */
export function rules(fake: Fake): void {
  void fake
}
