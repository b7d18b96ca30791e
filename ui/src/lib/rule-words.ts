import type { RuleAction } from '../generated/RuleAction'
import type { RuleDraft } from '../generated/RuleDraft'
import { t } from '../i18n/messages.svelte'
import { parse, type Group, type Literal, type Part, type Row } from './condition'
import { pathText } from './expression'
import { eventNames } from './rule-draft'

/** A piece of a rule's sentence: `value` of what comes from the rule itself. */
export interface Word {
  text: string
  kind: 'plain' | 'field' | 'value' | 'code'
}

/** A rule in plain words, as pieces of a sentence: what it is for, and what it does. */
export function ruleWords(rule: RuleDraft): { when: Word[]; then: Word[] } {
  return { when: whenWords(rule), then: thenWords(rule) }
}

const MARK = '\u0000'

/** A message with pieces in the places of its values. */
function filled(message: (values: Record<string, string>) => string, values: Record<string, Word[]>): Word[] {
  const names = Object.keys(values)
  const text = message(Object.fromEntries(names.map((name, at) => [name, `${MARK}${at}${MARK}`])))
  return text
    .split(/\u0000(\d+)\u0000/)
    .flatMap((piece, at): Word[] => (at % 2 === 1 ? (values[names[Number(piece)] ?? ''] ?? []) : [{ text: piece, kind: 'plain' }]))
    .filter((word) => word.text !== '')
}

const plain = (text: string): Word => ({ text, kind: 'plain' })

function joined(lists: Word[][], between: string): Word[] {
  return lists.flatMap((list, at) => (at === 0 ? list : [plain(between), ...list]))
}

function whenWords({ event, when }: RuleDraft): Word[] {
  const names = eventNames(event)
  const types = joined(names.map((name): Word[] => [{ text: name, kind: 'value' }]), t('ui.rules.word_or'))
  const condition = conditionWords(when)
  if (names.length > 0 && condition.length > 0) return filled((values) => t('ui.rules.when_both', values), { types, condition })
  if (names.length > 0) return filled((values) => t('ui.rules.when_type', values), { types })
  return condition.length > 0 ? filled((values) => t('ui.rules.when', values), { condition }) : [plain(t('ui.rules.when_any'))]
}

function conditionWords(text: string | undefined): Word[] {
  if (text === undefined || text.trim() === '') return []
  const group = parse(text)
  return group ? groupWords(group) : [{ text: text.trim(), kind: 'code' }]
}

function groupWords({ join, parts }: Group): Word[] {
  return joined(parts.map(partWords), t(join === 'all' ? 'ui.rules.word_and' : 'ui.rules.word_or'))
}

function partWords(part: Part): Word[] {
  if (part.kind === 'text') return [{ text: part.text, kind: 'code' }]
  if (part.kind === 'group') return [plain('('), ...groupWords(part), plain(')')]
  return rowWords(part)
}

function rowWords({ path, operator, values }: Row): Word[] {
  const field: Word[] = [{ text: fieldName(path), kind: 'field' }]
  const value = joined(values.map((literal): Word[] => [{ text: literalWord(literal), kind: 'value' }]), t('ui.rules.word_comma'))
  return filled((words) => t(`ui.rules.says_${operator}`, words), { field, value })
}

/** What a field is called where its event is at hand. */
export function fieldName(path: Row['path']): string {
  const [name, ...rest] = path
  if (name === 'data' && typeof rest[0] === 'string' && /^[A-Za-z_]\w*$/.test(rest[0])) return pathText(rest)
  if (path.length > 1) return pathText(path)
  switch (name) {
    case 'event':
      return t('ui.rules.field_event')
    case 'id':
      return t('ui.rules.field_id')
    case 'data':
      return t('ui.rules.field_data')
    case 'raw':
      return t('ui.rules.field_raw')
    default:
      return String(name)
  }
}

export function literalWord(literal: Literal): string {
  if (literal.kind === 'flag') return t(literal.on ? 'ui.rules.true' : 'ui.rules.false')
  if (literal.kind === 'nothing') return t('ui.rules.nothing')
  return literal.kind === 'text' ? t('ui.rules.quoted', { text: literal.text }) : literal.text
}

function thenWords({ action = 'notify', notify, urgent }: RuleDraft): Word[] {
  const title = notify?.title
  const words: Word[] =
    action === 'notify' && title !== undefined && title !== ''
      ? filled((values) => t('ui.rules.then_popup', values), { title: [{ text: title, kind: 'value' }] })
      : [plain(actionName(action))]
  return [
    ...words,
    ...(action === 'notify' && notify?.urgency === 'critical' ? [plain(t('ui.rules.then_critical'))] : []),
    ...(action === 'notify' && urgent === true ? [plain(t('ui.rules.then_urgent'))] : []),
  ]
}

export function actionName(action: RuleAction): string {
  return t(`ui.rules.action_${action}`)
}

/** A rule's sentence as one text, for those who hear it. */
export function spoken(rule: RuleDraft): string {
  const { when, then } = ruleWords(rule)
  return `${when.map(({ text }) => text).join('')} → ${then.map(({ text }) => text).join('')}`
}
