import type { RuleDraft } from '../generated/RuleDraft'
import { print, type Literal, type Operator, type Row } from './condition'
import { tellingField, type Field, type Sample } from './fields'
import { changed } from './rule-draft'

/** What a first rule may be meant for. */
export type Start = 'only' | 'not' | 'urgent'

/** The literal that a field's value is. */
export function literalOf(kind: Field['kind'], sample: string): Literal {
  if (kind === 'number') return { kind: 'number', text: sample }
  if (kind === 'flag') return { kind: 'flag', on: sample === 'true' }
  if (kind === 'nothing') return { kind: 'nothing' }
  return { kind: 'text', text: sample }
}

/** A row that an event with this field fulfils. */
export function rowOf(field: Field): Row {
  const operators: Record<Field['kind'], Operator> = { text: 'is', number: 'at_least', flag: 'yes', list: 'contains', nothing: 'is', object: 'there' }
  const operator = field.kind === 'flag' && field.sample === 'false' ? 'no' : operators[field.kind]
  const values = operator === 'yes' || operator === 'no' || operator === 'there' ? [] : [literalOf(field.kind, field.sample)]
  return { kind: 'row', path: field.path, operator, values }
}

/** A rule that matches an event by what tells it from others. */
export function starter(start: Start, sample: Sample, fields: Field[]): RuleDraft {
  const field = tellingField(fields)
  const when = field && print({ kind: 'group', join: 'all', parts: [rowOf(field)] })
  const rule = changed<RuleDraft>({}, { event: sample.event === 'message' ? undefined : sample.event, when })
  if (start === 'not') return { ...rule, action: 'log' }
  return start === 'urgent' ? { ...rule, notify: { urgency: 'critical' }, urgent: true } : rule
}
