import { cleanup, screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import type { FeedRule } from '../src/generated/FeedRule'
import type { RuleDraft } from '../src/generated/RuleDraft'
import type { RulesEdit } from '../src/generated/RulesEdit'
import type { Fake } from '../src/transport/fake/fake'
import { makeEvent, makeFeed } from '../src/transport/fake/fake'
import { setRules } from '../src/transport/fake/rules'
import { Failure } from '../src/transport/transport'
import { RulesTrial } from '../src/stores/rules-trial.svelte'
import { openWindow, rail, twoFeeds } from './window'

const events = [
  makeEvent({ seq: 14, title: 'Disk almost full', data: '{"priority":5,"title":"Disk almost full","message":"94 %","tags":["disk","db"],"done":false}' }),
  makeEvent({ seq: 13, title: 'Backup', data: '{"priority":2,"title":"Backup finished","a-b":"x"}' }),
  makeEvent({ seq: 12, title: 'Load', event: 'metric', data: '{"priority":3,"title":"Load"}' }),
  makeEvent({ seq: 11, title: 'Plain', data: 'a text' }),
]

const rule = (rule: RuleDraft, run: string[] | null = null): FeedRule => ({ rule, run })
const three = [rule({ when: 'data.priority >= 4', notify: { title: '{{ data.title }}' }, urgent: true }, ['blink', 'red']), rule({ event: 'metric', action: 'log' }), rule({ when: "data.title == 'Backup finished'" })]

function program(rules: FeedRule[] = three): Fake {
  const fake = twoFeeds()
  fake.events = events
  if (rules.length > 0) setRules(fake, 'ops', rules)
  return fake
}

async function openRules(fake: Fake, query = '') {
  history.replaceState(null, '', `#/feeds/ops/rules${query}`)
  const opened = await openWindow(fake)
  await screen.findByRole('region', { name: 'Rules' })
  return opened
}

const room = () => within(screen.getByRole('region', { name: 'Rules' }))
const preview = () => within(screen.getByRole('complementary', { name: 'Preview' }))
const sentences = () => [...document.querySelectorAll('.open-rule .words')].map((words) => words.textContent)
const puts = (fake: Fake) => fake.requests.filter(({ line }) => line === 'PUT /feeds/ops/rules').map(({ body }) => body as RulesEdit)
const tests = (fake: Fake) => fake.requests.filter(({ line }) => line === 'POST /rules/test').map(({ body }) => body as { rules?: RuleDraft[]; sample?: string })
const save = () => room().getByRole('button', { name: 'Save rules' })
const rulesOf = async (fake: Fake) => (await fake.request<{ rules: FeedRule[] }>('GET', '/feeds/ops/rules')).rules

describe('the list', () => {
  test('says each rule in words, what follows them, and how many events each decides', async () => {
    await openRules(program())
    await waitFor(() => expect(sentences()).toEqual(['When priority is at least 4 → popup “{{ data.title }}”, urgent', 'On metric → Log only', 'When title is “Backup finished” → Popup']))
    expect(await room().findAllByText('decides 1 event')).toHaveLength(4)
    expect(room().getByText('Everything else: log without popup')).toBeVisible()
    expect(room().getByText('blink red')).toBeVisible()
    expect(preview().getByText('Would have notified 2 of 4')).toBeVisible()
    expect(preview().getByRole('article', { name: 'Popup: Backup finished' })).toBeVisible()
  })

  test('names the preset that follows, and that it stays', async () => {
    const fake = program()
    fake.change('ops', { preset: { id: 'ntfy', name: 'ntfy', chosen: 'url', why: { code: 'preset_url', params: { name: 'ntfy' }, message: '' } } } as never)
    await openRules(fake)
    expect(await room().findByText('Everything else: as the preset ntfy says')).toBeVisible()
    expect(room().getByText(/found by itself/)).toBeVisible()
  })

  test('is put in order by keys and by buttons, and says so', async () => {
    const fake = program()
    const { person } = await openRules(fake)
    const second = await room().findByRole('button', { name: /^2 On metric/ })
    second.focus()
    await person.keyboard('{Alt>}{ArrowUp}{/Alt}')
    await waitFor(() => expect(sentences()[0]).toMatch(/^On metric/))
    expect(document.activeElement?.textContent).toMatch(/On metric/)
    expect(room().getByText('Rule 2 is now rule 1 of 3.')).toBeInTheDocument()
    await person.click(room().getByRole('button', { name: 'Move rule 1 down' }))
    await waitFor(() => expect(sentences()[1]).toMatch(/^On metric/))
    await person.click(room().getByRole('button', { name: 'Move rule 3 up' }))
    expect(room().getByRole('button', { name: 'Move rule 1 up' })).toBeDisabled()
    await person.click(save())
    await waitFor(() => expect(puts(fake)).toHaveLength(1))
    expect(puts(fake)[0]?.rules.map(({ was }) => was)).toEqual([1, 3, 2])
    expect(puts(fake)[0]?.revision).toBe('1')
    expect((await rulesOf(fake)).map(({ run }) => run)).toEqual([['blink', 'red'], null, null])
  })

  test('a rule is duplicated, deleted and brought back', async () => {
    const { person } = await openRules(program())
    await person.click(await room().findByRole('button', { name: 'Duplicate rule 2' }))
    await waitFor(() => expect(sentences()).toHaveLength(4))
    expect(room().getByRole('heading', { name: 'Rule 3' })).toBeVisible()
    await person.click(room().getByRole('button', { name: 'Delete rule 1' }))
    await waitFor(() => expect(sentences()).toHaveLength(3))
    await person.click(screen.getByRole('button', { name: 'Undo' }))
    await waitFor(() => expect(sentences()[0]).toMatch(/priority is at least 4/))
    await person.click(room().getByRole('button', { name: 'Discard' }))
    await waitFor(() => expect(sentences()).toHaveLength(3))
    expect(room().queryByRole('button', { name: 'Save rules' })).toBeNull()
  })

  test('a rule that was deleted and saved away comes back as a new one, and takes no other one’s place', async () => {
    const fake = program()
    const { person } = await openRules(fake)
    await person.click(await room().findByRole('button', { name: 'Delete rule 1' }))
    const undo = screen.getByRole('button', { name: 'Undo' })
    await person.click(save())
    await waitFor(async () => expect(await rulesOf(fake)).toHaveLength(2))
    await person.click(undo)
    await waitFor(() => expect(sentences()[0]).toMatch(/priority is at least 4/))
    expect(room().queryByText('blink red')).toBeNull()
    await person.click(save())
    await waitFor(() => expect(puts(fake)).toHaveLength(2))
    expect(puts(fake).at(-1)?.rules.map(({ was }) => was)).toEqual([undefined, 1, 2])
  })

  test('a rule that was deleted and came back by discarding does not come back twice', async () => {
    const { person } = await openRules(program())
    await person.click(await room().findByRole('button', { name: 'Delete rule 1' }))
    const undo = screen.getByRole('button', { name: 'Undo' })
    await person.click(room().getByRole('button', { name: 'Discard' }))
    await waitFor(() => expect(sentences()).toHaveLength(3))
    await person.click(undo)
    expect(sentences()).toHaveLength(3)
    expect(room().queryByRole('button', { name: 'Save rules' })).toBeNull()
  })

  test('a draft that was discarded is brought back with the numbers that a saving since has given', async () => {
    const fake = program()
    const { person } = await openRules(fake)
    await person.click(await room().findByRole('button', { name: 'Move rule 3 up' }))
    await person.click(room().getByRole('button', { name: 'Discard' }))
    const undo = await screen.findByRole('button', { name: 'Undo' })
    await person.click(room().getByRole('button', { name: 'Move rule 1 down' }))
    await person.click(save())
    await waitFor(() => expect(puts(fake)).toHaveLength(1))
    await person.click(undo)
    await person.click(save())
    await waitFor(() => expect(puts(fake)).toHaveLength(2))
    expect(puts(fake).at(-1)?.rules.map(({ was }) => was)).toEqual([2, 3, 1])
    expect((await rulesOf(fake))[0]?.run).toEqual(['blink', 'red'])
  })

  test('marks a rule that has failed', async () => {
    const fake = program()
    fake.change('ops', { rule_faults: [{ rule: 2, detail: 'b64decode: not base64', seq: 9, count: 3 }] })
    await openRules(fake)
    expect(await room().findByText('Fails: b64decode: not base64')).toBeVisible()
  })
})

describe('the editor', () => {
  test('builds a condition without the language, and shows what it would do', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('button', { name: 'Remove the event type metric' }))
    await person.click(room().getByRole('button', { name: 'Add condition' }))
    await person.selectOptions(room().getByRole('combobox', { name: 'Field' }), 'title — Disk almost full')
    await person.selectOptions(room().getByRole('combobox', { name: 'Operator' }), 'contains')
    const value = room().getByRole('textbox', { name: 'Value' })
    await person.clear(value)
    await person.type(value, "it's")
    expect(value).toHaveFocus()
    await waitFor(() => expect(sentences()[1]).toBe('When title contains “it\'s” → Log only'))
    await person.click(room().getByRole('radio', { name: 'Text' }))
    expect(room().getByRole('textbox', { name: 'Only if' })).toHaveValue("'it\\'s' in data.title")
    await waitFor(() => expect(tests(fake).at(-1)).toBeDefined())
    await person.click(save())
    await waitFor(async () => expect((await rulesOf(fake))[1]?.rule).toEqual({ when: "'it\\'s' in data.title", action: 'log' }))
  })

  test('a condition that was not changed stays byte for byte, and one that fits no rows stays text', async () => {
    const text = "( data.priority  >=  4 )"
    const odd = "'x' in (data | b64decode)"
    const { person } = await openRules(program([rule({ when: text }), rule({ when: odd })]), '?rule=1')
    expect(await room().findByRole('combobox', { name: 'Operator' })).toHaveDisplayValue('is at least')
    await person.click(room().getByRole('radio', { name: 'Text' }))
    expect(room().getByRole('textbox', { name: 'Only if' })).toHaveValue(text)
    await person.click(room().getByRole('radio', { name: 'Rows' }))
    expect(room().queryByRole('button', { name: 'Save rules' })).toBeNull()
    await person.click(room().getByRole('button', { name: /^2 When/ }))
    expect(await room().findByText('This cannot be shown in rows, and stays as it is written.')).toBeVisible()
    expect(room().getByRole('textbox', { name: 'Only if' })).toHaveValue(odd)
    await person.click(room().getByRole('radio', { name: 'Rows' }))
    expect(room().getByRole('textbox', { name: 'Only if' })).toHaveValue(odd)
  })

  test('a mistake is told where it is, and the rule in the list is marked', async () => {
    const { person } = await openRules(program(), '?rule=3')
    const title = await room().findByRole('textbox', { name: 'Title' })
    await person.click(title)
    await person.paste('{{ nope }}')
    const alert = await room().findByText('unknown name “nope”')
    expect(alert).toBeVisible()
    expect(title).toBeInvalid()
    expect(title).toHaveFocus()
    expect(document.querySelector('mark')).toHaveTextContent('n')
    expect(room().getByText('Has a mistake')).toBeVisible()
    await person.clear(title)
    await waitFor(() => expect(title).toBeValid())
  })

  test('a field is inserted into a text, and what comes out is shown', async () => {
    const { person } = await openRules(program(), '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Popup' }))
    const title = room().getByRole('textbox', { name: 'Title' })
    await person.type(title, 'Now: ')
    await person.selectOptions(room().getByRole('combobox', { name: 'Insert a field: Title' }), 'title — Disk almost full')
    expect(title).toHaveValue('Now: {{ data.title }}')
    expect(title).toHaveFocus()
    expect(await room().findByText('Now: Disk almost full')).toBeVisible()
  })

  test('each action says what comes of it; what makes no sense with it is left out, and comes back', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=1')
    await person.click(await room().findByRole('radio', { name: 'Take a popup away' }))
    expect(room().getByRole('radio', { name: 'Take a popup away' })).toHaveAccessibleDescription(/same key/)
    await waitFor(() => expect(tests(fake).some(({ rules }) => rules?.[0]?.action === 'withdraw')).toBe(true))
    expect(tests(fake).find(({ rules }) => rules?.[0]?.action === 'withdraw')?.rules?.[0]).toEqual({ when: 'data.priority >= 4', action: 'withdraw', notify: { key: '{{ id }}' } })
    await person.click(room().getByRole('radio', { name: 'Popup' }))
    expect(room().getByRole('textbox', { name: 'Title' })).toHaveValue('{{ data.title }}')
    expect(room().getByRole('switch', { name: 'Urgent' })).toBeChecked()
  })

  test('event types are chosen from those in the log, or written', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=3')
    await person.click(await room().findByRole('button', { name: 'Add the event type metric' }))
    await person.type(room().getByRole('textbox', { name: 'Event types' }), 'build.*{Enter}')
    await person.click(save())
    await waitFor(async () => expect((await rulesOf(fake))[2]?.rule.event).toEqual(['metric', 'build.*']))
  })
})

describe('the preview', () => {
  test('is live, compares with the saved rules, and tries the chosen event first', async () => {
    const { person } = await openRules(program(), '?rule=3')
    expect(await preview().findByText('This event: Popup, by rule 1')).toBeInTheDocument()
    await person.click(room().getByRole('radio', { name: 'Log only' }))
    expect(await preview().findByText('Would have notified 1 of 4')).toBeInTheDocument()
    expect(preview().getByText('1 fewer than now')).toBeInTheDocument()
    await person.selectOptions(preview().getByRole('combobox', { name: 'Try on' }), preview().getByRole('option', { name: /Plain/ }))
    expect(await preview().findByText('This event: Log only, as no rule matches')).toBeInTheDocument()
  })

  test('an older answer that comes late is dropped', async () => {
    const fake = program()
    const late: (() => void)[] = []
    const answer = fake.request.bind(fake)
    fake.request = async <T>(...asked: Parameters<Fake['request']>) => {
      const [, path, body] = asked
      const rules = (body as { rules?: RuleDraft[] } | undefined)?.rules
      if (path === '/rules/test' && rules?.[2]?.action === 'log') await new Promise<void>((resolve) => late.push(resolve))
      return answer<T>(...asked)
    }
    const { person } = await openRules(fake, '?rule=3')
    await preview().findByText('Would have notified 2 of 4')
    await person.click(room().getByRole('radio', { name: 'Log only' }))
    expect(await preview().findByText('Trying the rules …')).toBeInTheDocument()
    await person.click(room().getByRole('radio', { name: 'Popup' }))
    await waitFor(() => expect(preview().queryByText('Trying the rules …')).toBeNull())
    late.forEach((resolve) => resolve())
    await person.click(room().getByRole('radio', { name: 'Ignore' }))
    expect(await preview().findByText('Would have notified 1 of 4')).toBeInTheDocument()
  })

  test('an event that comes late is not tried in place of one chosen since', async () => {
    const fake = program()
    const trial = new RulesTrial(fake, 'ops')
    await trial.load(null)
    const late: (() => void)[] = []
    const answer = fake.request.bind(fake)
    fake.request = async <T>(...asked: Parameters<Fake['request']>) => {
      if (asked[1] === '/events/2') await new Promise<void>((resolve) => late.push(resolve))
      return answer<T>(...asked)
    }
    const slow = trial.choose(2)
    await trial.choose(13)
    late.forEach((resolve) => resolve())
    await slow
    expect(trial.event?.seq).toBe(13)
  })

  test('a sample of one’s own stays chosen while nothing is typed', async () => {
    const trial = new RulesTrial(program(), 'ops')
    await trial.load(null)
    expect(trial.event?.seq).toBe(14)
    await trial.choose(null)
    await trial.load(null)
    expect(trial.event).toBeNull()
  })

  test('without events a text of the person’s own is tried', async () => {
    const fake = program()
    fake.events = []
    const { person } = await openRules(fake)
    expect(await preview().findByText('No events yet to try the rules on')).toBeInTheDocument()
    await person.click(preview().getByRole('textbox', { name: 'Sample' }))
    await person.paste('{"priority": 4, "title": "Mine"}')
    expect(await preview().findByText('The sample: Popup, by rule 1')).toBeInTheDocument()
    expect(preview().getByRole('article', { name: 'Popup: Mine' })).toBeInTheDocument()
  })
})

describe('saving', () => {
  test('by key, and undone', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Ignore' }))
    await person.keyboard('{Control>}s{/Control}')
    expect(await screen.findByText('The rules of Ops alerts were saved.')).toBeVisible()
    expect((await rulesOf(fake))[1]?.rule.action).toBe('ignore')
    expect(room().queryByRole('button', { name: 'Save rules' })).toBeNull()
    await person.click(screen.getByRole('button', { name: 'Undo' }))
    await waitFor(async () => expect(await rulesOf(fake)).toEqual(three))
  })

  test('undone after rules were moved and changed at once, each runs what it ran', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=1')
    await person.click(await room().findByRole('button', { name: 'Move rule 1 down' }))
    await person.type(room().getByRole('textbox', { name: 'Title' }), '!')
    await person.click(save())
    await person.click(await screen.findByRole('button', { name: 'Undo' }))
    await waitFor(async () => expect(await rulesOf(fake)).toEqual(three))
    expect(puts(fake).at(-1)?.rules.map(({ was }) => was)).toEqual([2, 1, 3])
  })

  test('rules that were changed elsewhere meanwhile are not written over unasked', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Ignore' }))
    setRules(fake, 'ops', [rule({ event: 'new' }), ...three])
    await person.click(save())
    expect(await room().findByText(/changed elsewhere/)).toBeVisible()
    expect((await rulesOf(fake))[0]?.rule.event).toBe('new')
    await person.click(room().getByRole('button', { name: 'Look at the new ones' }))
    await waitFor(() => expect(sentences()).toHaveLength(4))
    await person.click(screen.getByRole('button', { name: 'Bring mine back' }))
    await waitFor(() => expect(sentences()).toHaveLength(3))
    await person.click(save())
    await waitFor(async () => expect(await rulesOf(fake)).toHaveLength(3))
    expect((await rulesOf(fake)).map(({ run }) => run)).toEqual([['blink', 'red'], null, null])
  })

  test('mine are saved anyway, each with what it ran', async () => {
    const fake = program()
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Ignore' }))
    setRules(fake, 'ops', [rule({ event: 'new' }), ...three])
    await person.click(save())
    await person.click(await room().findByRole('button', { name: 'Save mine anyway' }))
    await waitFor(async () => expect((await rulesOf(fake)).map(({ rule }) => rule.action)).toEqual([undefined, 'ignore', undefined]))
    expect(puts(fake).at(-1)?.rules.map(({ was }) => was)).toEqual([2, 3, 4])
    expect((await rulesOf(fake))[0]?.run).toEqual(['blink', 'red'])
  })

  test('what was refused is kept, and the reason stands beside it', async () => {
    const fake = program()
    fake.on('PUT', '/feeds/:id/rules', () => {
      throw new Failure('cannot_write', 'no room', 'no room')
    })
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Ignore' }))
    await person.click(save())
    expect(await room().findByText(/no room/)).toBeVisible()
    expect(room().getByRole('radio', { name: 'Ignore' })).toBeChecked()
  })

  test('a draft outlives leaving the room and loading the page, and its tab says so', async () => {
    const fake = program()
    fake.status.feeds.push(makeFeed({ id: 'other', name: 'Other' }))
    const { person } = await openRules(fake, '?rule=2')
    await person.click(await room().findByRole('radio', { name: 'Ignore' }))
    expect(rail().getByText('rules not saved')).toBeVisible()
    expect(screen.getByRole('link', { name: /^Rules.*not saved/ })).toBeVisible()
    await person.click(screen.getByRole('link', { name: 'Overview' }))
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Rules' })).toBeNull())
    cleanup()
    sessionStorage.clear() // As closing the window does.
    await openRules(fake, '?rule=2')
    await waitFor(() => expect(room().getByRole('radio', { name: 'Ignore' })).toBeChecked())
    expect(save()).toBeVisible()
  })

  test('Escape goes back to the list, and a key adds a rule', async () => {
    const { person } = await openRules(program(), '?rule=2')
    await room().findByRole('heading', { name: 'Rule 2' })
    await person.keyboard('{Escape}')
    expect(room().queryByRole('heading', { name: 'Rule 2' })).toBeNull()
    expect(room().getByRole('button', { name: /^2 On metric/ })).toHaveFocus()
    await person.keyboard('a')
    expect(await room().findByRole('heading', { name: 'Rule 4' })).toBeVisible()
  })
})

describe('the first rule', () => {
  test('is made from the newest event by one click, and the rest keeps its popups', async () => {
    const fake = program([])
    const { person } = await openRules(fake)
    expect(await room().findByRole('heading', { name: 'Every event shows a popup' })).toBeVisible()
    await person.click(await room().findByRole('button', { name: /^Not when/ }))
    await waitFor(() => expect(sentences()).toEqual(['When priority is at least 5 → Log only', 'Any event → Popup']))
    expect(await preview().findByText('Would have notified 3 of 4')).toBeInTheDocument()
    expect(room().getByRole('heading', { name: 'Rule 1' })).toBeVisible()
  })

  test('or from the event that the person comes from', async () => {
    const fake = program()
    await openRules(fake, '?event=12')
    await waitFor(() => expect(sentences()[0]).toBe('On metric, when priority is at least 3 → Popup'))
    expect(sentences()).toHaveLength(4)
    expect(location.hash).toBe('#/feeds/ops/rules?rule=1')
    expect(await preview().findByText('This event: Popup, by rule 1')).toBeInTheDocument()
  })

  test('not in the draft of a room that was left before the rules came', async () => {
    const fake = program()
    const late: (() => void)[] = []
    const answer = fake.request.bind(fake)
    fake.request = async <T>(...asked: Parameters<Fake['request']>) => {
      if (asked[1] === '/feeds/ops/rules') await new Promise<void>((resolve) => late.push(resolve))
      return answer<T>(...asked)
    }
    const { person } = await openRules(fake, '?event=12')
    await waitFor(() => expect(late.length).toBeGreaterThan(0))
    await person.click(screen.getByRole('link', { name: 'Overview' }))
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Rules' })).toBeNull())
    late.forEach((resolve) => resolve())
    fake.request = answer
    await person.click(screen.getByRole('link', { name: 'Rules' }))
    await waitFor(() => expect(sentences()).toHaveLength(3))
    expect(location.hash).toBe('#/feeds/ops/rules')
  })

  test('once the program answers, if it did not at first', async () => {
    const fake = program()
    let away = true
    fake.on('GET', '/feeds/:id/rules', () => {
      if (away) throw new Failure('unreachable')
      return { rules: three, revision: '1' }
    })
    await openRules(fake, '?event=12')
    await waitFor(() => expect(fake.requests.some(({ line }) => line === 'GET /events/types?feed=ops')).toBe(true))
    away = false
    fake.change('ops', { rules: 4 })
    await waitFor(() => expect(sentences()[0]).toBe('On metric, when priority is at least 3 → Popup'))
    expect(sentences()).toHaveLength(4)
  })
})
