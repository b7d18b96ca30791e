import { render, screen, within } from '@testing-library/svelte'
import userEvent from '@testing-library/user-event'
import App from '../src/App.svelte'
import { Fake, makeEvent, makeFeed } from '../src/transport/fake/fake'

/** The whole window over a made-up program, with a person at the keyboard. */
export async function openWindow(fake: Fake) {
  const person = userEvent.setup()
  const { container } = render(App, { transport: fake })
  return { person, container, fake }
}

/** A program with two feeds and three events. */
export function twoFeeds(): Fake {
  const fake = new Fake()
  fake.status.feeds = [
    makeFeed({ id: 'ops', name: 'Ops alerts', url: 'https://ops.example.org/sse', counts: { ...none, events: 2, unread: 1 } }),
    makeFeed({ id: 'mail', name: 'Mail', url: 'https://mail.example.org/events', counts: { ...none, events: 1 } }),
  ]
  fake.events = [
    makeEvent({ seq: 3, feed: 'ops', title: 'Disk almost full', body: 'db-2 is at 94 %', data: '{"priority":5,"n":12884901888123456789}' }),
    makeEvent({ seq: 2, feed: 'mail', title: 'Ingrid', body: 'Re: Contract', read: true }),
    makeEvent({
      seq: 1,
      feed: 'ops',
      title: 'Backup finished',
      outcome: 'logged',
      reason: { code: 'rule', rule: 2, detail: '' },
      read: true,
    }),
  ]
  return fake
}

const none = { events: 0, unread: 0, repeats: 0, ignored: 0, oversized: 0 }

/** The titles in the list, from above. */
export function titles(): string[] {
  const list = document.querySelector('.list')
  return [...(list?.querySelectorAll('[role=option]') ?? [])].map((row) => row.querySelector('.title')?.textContent ?? '')
}

export function rail() {
  return within(screen.getAllByRole('navigation')[0] as HTMLElement)
}

export function detail() {
  return within(screen.getByRole('region', { name: 'Event' }))
}
