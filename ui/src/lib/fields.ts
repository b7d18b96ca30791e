import { NAMES } from './condition'
import { pathText } from './expression'

/** A value that events have, as a condition or a text can name it. */
export interface Field {
  path: (string | number)[]
  /** The path as the language writes it: `data.user['full name']`. */
  text: string
  kind: 'text' | 'number' | 'flag' | 'nothing' | 'list' | 'object'
  /** A value that it had; of a list that of its first element. */
  sample: string
}

/** What fields are read from. */
export interface Sample {
  event: string
  id: string
  data: string
}

type Node = { kind: 'object' | 'list'; inside: [string | number, Node][] } | { kind: Exclude<Field['kind'], 'object' | 'list'>; text: string }

const MAX_FIELDS = 200
const MAX_DEPTH = 5
/** Of longer data the fields are not read: they are for choosing from, not all that there is. */
const MAX_DATA = 256 * 1024
const LEXEME = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

/** The fields of these events, those of the first one first. */
export function fieldsOf(samples: Sample[]): Field[] {
  const found = new Map<string, Field>()
  const add = (field: Omit<Field, 'text'>) => {
    const text = pathText(field.path)
    const known = found.get(text)
    if (found.size < MAX_FIELDS && (!known || (known.kind === 'nothing' && field.kind !== 'nothing'))) found.set(text, { ...field, text })
  }
  for (const { data } of samples) {
    const node = read(data)
    if (node) collect(node, ['data'], add)
    else if (data !== '') add({ path: ['data'], kind: 'text', sample: data.slice(0, 200) })
  }
  for (const { event, id, data } of samples.slice(0, 1)) {
    add({ path: ['event'], kind: 'text', sample: event })
    add({ path: ['id'], kind: 'text', sample: id })
    add({ path: ['raw'], kind: 'text', sample: data.slice(0, 200) })
  }
  return [...found.values()]
}

function collect(node: Node, path: (string | number)[], add: (field: Omit<Field, 'text'>) => void): void {
  if ('text' in node) return add({ path, kind: node.kind, sample: node.text })
  if (node.kind === 'list') {
    const [first] = node.inside
    if (first && 'text' in first[1]) return add({ path, kind: 'list', sample: first[1].text })
    if (first && path.length <= MAX_DEPTH) collect(first[1], [...path, 0], add)
    return
  }
  // A list within a list and so on leads nowhere that a person would look.
  if (path.length <= MAX_DEPTH) for (const [key, inner] of node.inside) collect(inner, [...path, key], add)
}

/** The JSON that a text is, each number with all of its digits. */
function read(text: string): Node | undefined {
  if (text.length > MAX_DATA) return undefined
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  const lexemes = text.match(LEXEME) ?? []
  let at = 0
  const value = (): Node => {
    const lexeme = lexemes[at++] ?? 'null'
    if (lexeme === '{' || lexeme === '[') return within(lexeme)
    if (lexeme.startsWith('"')) return { kind: 'text', text: JSON.parse(lexeme) as string }
    if (lexeme === 'true' || lexeme === 'false') return { kind: 'flag', text: lexeme }
    return { kind: lexeme === 'null' ? 'nothing' : 'number', text: lexeme }
  }
  const within = (open: string): Node => {
    const inside: [string | number, Node][] = []
    const close = open === '{' ? '}' : ']'
    while (at < lexemes.length && lexemes[at] !== close) {
      const key = open === '{' ? (JSON.parse(lexemes[at++] ?? '""') as string) : inside.length
      if (open === '{') at++ // the colon
      inside.push([key, value()])
      if (lexemes[at] === ',') at++
    }
    at++
    return { kind: open === '{' ? 'object' : 'list', inside }
  }
  try {
    return value()
  } catch {
    return undefined // Nested deeper than there is a stack for.
  }
}

const PATH_STEP = /^(?:\.([A-Za-z_]\w*)|\[(\d{1,9})\]|\.(\d{1,9})|\['((?:[^'\\]|\\.)*)'\])/

/** The path that a person wrote; `undefined` if it is none. */
export function readPath(text: string): (string | number)[] | undefined {
  const name = /^[A-Za-z_]\w*/.exec(text.trim())?.[0]
  if (name === undefined || !NAMES.includes(name)) return undefined
  const path: (string | number)[] = [name]
  for (let rest = text.trim().slice(name.length); rest !== ''; ) {
    const [whole, key, place, dotted, quoted] = PATH_STEP.exec(rest) ?? []
    if (whole === undefined) return undefined
    path.push(key ?? quoted?.replace(/\\(.)/g, '$1') ?? Number(place ?? dotted))
    rest = rest.slice(whole.length)
  }
  return path
}

/** Fields that tell events apart, in the order in which one is guessed to. */
const TELLING = ['priority', 'severity', 'level', 'status', 'state', 'urgency', 'type', 'kind', 'action', 'topic', 'tags', 'title', 'subject', 'from']

/** The field by which an event is most likely meant. */
export function tellingField(fields: Field[]): Field | undefined {
  const simple = fields.filter(({ path }) => path[0] === 'data')
  const last = (field: Field) => String(field.path.at(-1)).toLowerCase()
  const told = TELLING.flatMap((name) => simple.filter((field) => last(field) === name && field.path.length <= 3))
  return told[0] ?? simple.find(({ kind }) => kind === 'text' || kind === 'flag') ?? simple[0]
}
