/** How long popups can be kept away by one press: the message that says it, and the wish. */
export const SNOOZES = [
  { label: 'snooze.quarter', until: '15m' },
  { label: 'snooze.hour', until: '1h' },
  { label: 'snooze.tomorrow', until: 'tomorrow' },
] as const
