import type { Event } from '../generated/Event'
import { makeEvent, type Fake } from './fake/fake'
import { setRules } from './fake/rules'

const titles = ['Disk almost full on db-2', 'Load on web-3 back to normal', 'Certificate of git.example.org renewed', 'Backup finished', 'Replication lag on db-1', 'web-3 does not answer']
const tags = [['warning', 'db-2'], ['ok', 'web-3'], ['ok', 'git'], ['ok', 'backup'], ['warning', 'db-1'], ['skull', 'web-3']]
const bodies = ['/var/lib/postgresql is at 94 % (11.2 GiB left). At the present rate it is full in about 3 hours.', 'Load average 1.2 after 14 minutes over 8.', 'Valid until 18 February.', 'db-1, db-2, files: 214 GiB in 42 min', '38 s behind, growing.', 'No answer on port 443 for 2 minutes.']
const priorities = [5, 3, 2, 1, 4, 5]

/** Alerts to make rules of, and rules for them; `rules-first`: none yet. */
export function showRules(fake: Fake, scene: string, ago: (minutes: number) => string): void {
  const alerts = Array.from({ length: 340 }, (_, at): Event => {
    const kind = at % 6
    const data = { id: `m${9000 - at}`, event: 'message', topic: 'ops-alerts', priority: priorities[kind], title: titles[kind], message: bodies[kind], tags: tags[kind], click: 'https://grafana.example.org/d/disk?var-host=db-2', muted: kind === 3, size: '%' }
    const text = JSON.stringify(data).replace('"%"', '12884901888123456789')
    return makeEvent({ seq: 9000 - at, feed: 'ops', event: at % 17 === 3 ? 'metric' : 'message', id: data.id, received_at: ago(4 + at * 31), title: titles[kind] ?? '', body: bodies[kind] ?? '', data: text, read: true })
  })
  fake.events = [...alerts, ...fake.events.filter(({ feed }) => feed !== 'ops')]
  if (scene === 'rules-first') {
    fake.change('ops', { rules: 0 })
    return
  }
  setRules(fake, 'ops', [
    {
      rule: {
        when: "data.priority >= 4 and ('db-2' in data.tags or data.title is startingwith('Replication'))",
        notify: { title: '{{ data.title }}', body: '{{ data.message | truncate(120) }}', url: '{{ data.click }}', urgency: 'critical', key: '{{ data.topic }}', buttons: [{ label: 'Dashboard', url: '{{ data.click }}' }] },
        urgent: true,
      },
      run: ['~/bin/blink', '--color', 'red'],
    },
    { rule: { event: ['metric', 'keepalive'], action: 'ignore' }, run: null },
    { rule: { when: "'BACKUP' in (data.title | upper)", action: 'log' }, run: null },
    { rule: { when: 'data.priority >= 3', notify: { title: '{{ data.title }} ({{ data.tags | join(\', \') }})' } }, run: null },
  ])
}
