import { describe, expect, test } from 'vitest'
import type { ConnectionChange } from '../src/generated/ConnectionChange'
import { STEP } from '../src/lib/chunks'
import { notesOf } from '../src/lib/connections'
import { segments, wanted } from '../src/lib/highlight'
import { Pieces } from '../src/lib/pieces'
import { DAY, localDay, NOTE, ROW } from '../src/lib/rows'
import { MAX_HEIGHT, Scroll } from '../src/lib/scroll'
import { EVERYTHING, filterOf, fits, placeOf, queryOf, sameFilter } from '../src/stores/log-filter'
import { LogList } from '../src/stores/log-list.svelte'
import { Fake, makeEvent } from '../src/transport/fake/fake'

const NOON = new Date(2026, 10, 21, 12).getTime()
const at = (minutes: number) => new Date(NOON - minutes * 60_000).toISOString()

/** So many events, one a minute. */
function program(count: number): Fake {
  const fake = new Fake()
  fake.made = { count, make: (seq) => makeEvent({ seq, received_at: at(count - seq), read: true }) }
  return fake
}

async function listOf(fake: Fake, query = {}, keepRead = false): Promise<LogList> {
  const list = new LogList(fake, query, true, keepRead)
  list.begin(await list.first())
  await list.index()
  return list
}

/** What stands between two heights, in short. */
const shown = ({ chunks }: LogList, from: number, to: number) =>
  chunks.lines(from, to - 1).map(({ line }) => (line.kind === 'event' ? line.event.seq : line.kind))

describe('a list of a million events', () => {
  test('is as long as they are, with few of them fetched', async () => {
    const fake = program(1_000_000)
    const list = await listOf(fake)
    expect(list.count).toBe(1_000_000)
    const days = new Set(Array.from({ length: 696 }, (_, day) => localDay(at(day * 1440)))).size
    expect(Math.abs(list.height - (1_000_000 * ROW + days * DAY))).toBeLessThanOrEqual(2 * DAY)
    expect(fake.requests).toHaveLength(2)

    const middle = 500_000 * ROW
    expect(shown(list, middle, middle + 500)).toContain('waiting')
    const chunk = list.chunks.look(middle, middle + 500)[0]!
    await list.fetch(chunk)
    expect(shown(list, middle, middle + 500).filter((line) => typeof line === 'number').length).toBeGreaterThan(5)
    expect(fake.requests.at(-1)?.line).toContain(`before=${chunk.top + 1}&`.slice(0, -1))
  })

  test('holds no more events than a few chunks of them', async () => {
    const fake = program(100_000)
    const list = await listOf(fake)
    for (const chunk of list.chunks.list.slice(0, 100)) {
      list.chunks.look(chunk.y, chunk.y + 1)
      await list.fetch(chunk)
    }
    expect(list.chunks.list.filter(({ rows }) => rows).length).toBeLessThanOrEqual(30)
    expect(list.count).toBe(100_000)
  })

  test('takes a hundred thousand arrivals, and asks for none of them again', async () => {
    const fake = program(1000)
    const list = await listOf(fake)
    const asked = fake.requests.length
    const before = list.chunks.anchor(300 * ROW)!
    const event = list.chunks.lines(300 * ROW, 300 * ROW)[0]?.line
    for (let seq = 1001; seq <= 101_000; seq += 100) {
      list.arrive(Array.from({ length: 100 }, (_, at) => makeEvent({ seq: seq + 99 - at, received_at: at_(seq) })))
    }
    expect(list.count).toBe(101_000)
    expect(fake.requests).toHaveLength(asked)
    expect(list.chunks.list.filter(({ rows }) => rows).length).toBeLessThanOrEqual(30)
    expect(list.chunks.list.every(({ count }) => count <= STEP)).toBe(true)
    // What was looked at is the same, further down.
    const there = list.chunks.yOf(before)
    expect(there).toBeGreaterThan(100_000 * ROW)
    expect(list.chunks.lines(there, there)[0]?.line.key).toBe(event?.key)
  })

  const at_ = (seq: number) => new Date(NOON + seq).toISOString()

  test('finds the neighbours of an event, far from what was fetched', async () => {
    const list = await listOf(program(1_000_000))
    expect((await list.step(null, 1))?.seq).toBe(1_000_000)
    expect((await list.step(1_000_000, 250))?.seq).toBe(999_750)
    expect((await list.at(999_999))?.seq).toBe(1)
    expect((await list.step(1, 5))?.seq).toBe(1)
    expect((await list.between(999_900, 999_903, 1000)).map(({ seq }) => seq)).toEqual([999_903, 999_902, 999_901, 999_900])
  })
})

describe('a list', () => {
  test('heals where events have gone, and what is looked at stays', async () => {
    const fake = program(1000)
    const list = await listOf(fake)
    const chunk = list.chunks.list[1]!
    const anchor = list.chunks.anchor(list.chunks.list[3]!.y + 7.5 * ROW)!
    const seen = list.chunks.lines(list.chunks.yOf(anchor), list.chunks.yOf(anchor))[0]?.line.key
    await fake.request('POST', '/events/delete', { seqs: [700, 701, 702] })
    await list.fetch(chunk)
    expect(list.count).toBe(997)
    expect(list.chunks.lines(list.chunks.yOf(anchor), list.chunks.yOf(anchor))[0]?.line.key).toBe(seen)
    await fake.request('POST', '/events/restore', { seqs: [700, 701, 702] })
    await list.fetch(chunk)
    expect(list.count).toBe(1000)
  })

  test('keeps what was fetched when it learns of an index anew, and adds what was missed', async () => {
    const fake = program(1000)
    const list = await listOf(fake)
    await list.fetch(list.chunks.list[1]!)
    fake.events = [makeEvent({ seq: 1002, received_at: at(-2) }), makeEvent({ seq: 1001, received_at: at(-1) })]
    list.begin(await list.first())
    await list.index()
    expect(list.count).toBe(1002)
    expect(shown(list, 0, DAY + 3 * ROW)).toEqual(['day', 1002, 1001, 1000])
    expect(shown(list, 250 * ROW, 251 * ROW).every((line) => typeof line === 'number')).toBe(true)
  })

  test('whose head was missed by far has no hole', async () => {
    const fake = program(1000)
    const list = await listOf(fake)
    fake.made!.count = 3000
    list.begin(await list.first())
    await list.index()
    expect(list.count).toBe(3000)
    const place = list.chunks.placeOf(1500)
    expect(shown(list, 0, DAY + ROW)).toEqual(['day', 3000])
    expect((await list.at(place))?.seq).toBe(1500)
  })

  test('of a program without an index goes on page by page', async () => {
    const fake = program(450)
    fake.on('GET', '/events/index', () => {
      throw { code: 'not_found', message: '' }
    })
    const list = await listOf(fake)
    expect(list.counted).toBe(false)
    await list.fetch(list.chunks.list.at(-1)!)
    expect(list.counted).toBe(false)
    await list.fetch(list.chunks.list.at(-1)!)
    expect(list.counted).toBe(true)
    expect(list.count).toBe(450)
  })

  test('keeps what is unread no more, and lets go of what is deleted', async () => {
    const fake = new Fake()
    fake.events = [3, 2, 1].map((seq) => makeEvent({ seq }))
    const list = await listOf(fake, { unread: true }, true)
    await fake.request('POST', '/events/read', { seqs: [2], read: true })
    expect(list.setRead(({ seq }) => seq === 2, true)).toEqual([2])
    await list.fetch(list.chunks.list[0]!)
    expect(list.chunks.list[0]?.rows?.map(({ seq, read }) => [seq, read])).toEqual([[3, false], [2, true], [1, false]])
    list.remove([2])
    await list.fetch(list.chunks.list[0]!)
    expect(list.chunks.list[0]?.rows?.map(({ seq }) => seq)).toEqual([3, 1])
  })

  test('of unread ones lets go of what was marked or deleted elsewhere', async () => {
    const fake = new Fake()
    fake.events = [3, 2, 1].map((seq) => makeEvent({ seq }))
    const list = await listOf(fake, { unread: true }, true)
    await fake.request('POST', '/events/read', { seqs: [2], read: true })
    await fake.request('POST', '/events/delete', { seqs: [3] })
    await list.fetch(list.chunks.list[0]!)
    expect(list.chunks.list[0]?.rows?.map(({ seq }) => seq)).toEqual([1])
  })

  test('begins a day where the time zone does, be it at a quarter past', () => {
    const zone = process.env.TZ
    process.env.TZ = 'Asia/Kathmandu'
    try {
      expect(localDay('2026-03-01T18:14:00Z')).toBe('2026-03-01')
      expect(localDay('2026-03-01T18:16:00Z')).toBe('2026-03-02')
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  test('keeps the newest of what happens to a connection all night long', async () => {
    const fake = new Fake()
    fake.events = [makeEvent({ seq: 1 })]
    const list = await listOf(fake)
    for (let number = 1; number <= 600; number++) list.note(change(number, number % 2 ? 'lost' : 'back', 1))
    const { changes } = list.chunks.list[0]!
    expect(changes).toHaveLength(500)
    expect(Math.max(...changes.map(({ number }) => number))).toBe(600)
  })

  test('names each day once, above its first event', async () => {
    const fake = new Fake()
    fake.events = [at(0), at(10), at(1440), at(2880)].map((received_at, index) => makeEvent({ seq: 4 - index, received_at }))
    const list = await listOf(fake)
    expect(shown(list, 0, list.height)).toEqual(['day', 4, 3, 'day', 2, 'day', 1])
    list.remove([2])
    expect(shown(list, 0, list.height)).toEqual(['day', 4, 3, 'day', 1])
    expect(list.chunks.dayAt(list.height - 1)).toBe(localDay(at(2880)))
  })

  test('tells of connections between the events', async () => {
    const fake = new Fake()
    fake.events = [3, 2, 1].map((seq) => makeEvent({ seq, received_at: at(3 - seq) }))
    fake.connections = [change(1, 'lost', 2)]
    const list = await listOf(fake)
    expect(shown(list, 0, list.height)).toEqual(['day', 3, 'note', 2, 1])
    list.note(change(2, 'back', 3))
    list.note(change(2, 'back', 3))
    expect(shown(list, 0, list.height)).toEqual(['day', 'note', 3, 'note', 2, 1])
    expect(list.height).toBe(DAY + 3 * ROW + 2 * NOTE)
  })
})

const change = (number: number, kind: ConnectionChange['kind'], after: number, feed = 'ops'): ConnectionChange => ({
  number,
  feed,
  at: at(0),
  after,
  kind,
  reason: null,
  away_seconds: null,
})

describe('what is told of connections', () => {
  const rows = [makeEvent({ seq: 2 }), makeEvent({ seq: 1 })]

  test('a loss and a return with no event between them are one, of each feed', () => {
    const changes = [change(1, 'lost', 1), change(2, 'lost', 1, 'mail'), change(3, 'back', 1), change(4, 'back', 1, 'mail')]
    const notes = notesOf(rows, changes)
    expect(notes.map(({ at, note }) => [at, note.feed, note.lost?.number, note.back?.number])).toEqual([
      [1, 'mail', 2, 4],
      [1, 'ops', 1, 3],
    ])
  })

  test('an event between them keeps them apart', () => {
    const notes = notesOf(rows, [change(1, 'lost', 1), change(2, 'back', 2)])
    expect(notes.map(({ at, note }) => [at, note.lost?.number, note.back?.number])).toEqual([
      [0, undefined, 2],
      [1, 1, undefined],
    ])
  })

  test('a night of them is told of by a few', () => {
    const changes = Array.from({ length: 100 }, (_, number) => change(number, number % 2 ? 'back' : 'lost', 1))
    const notes = notesOf(rows, changes)
    expect(notes).toHaveLength(4)
    expect(notes.at(-1)?.note.more).toBe(46)
  })
})

describe('scrolling', () => {
  const scroll = (total: number) => Object.assign(new Scroll(), { total, view: 700 })

  test('through what an element can hold is the element’s own', () => {
    const short = scroll(100_000)
    expect(short.height).toBe(100_000)
    short.scrolled(5000)
    expect([short.top, short.shift]).toEqual([5000, 0])
  })

  test('moves by pixels, and maps drags, in an element of bounded height', () => {
    const long = scroll(76_000_000)
    expect(long.height).toBe(MAX_HEIGHT)
    long.scrolled(2_000_000)
    expect(Math.abs(long.top - 38_000_000)).toBeLessThan(20_000)
    const { top } = long
    long.scrolled(2_000_120)
    expect(long.top).toBe(top + 120)
    long.scrolled(MAX_HEIGHT - 700)
    expect(long.top).toBe(76_000_000 - 700)
    long.scrolled(0)
    expect(long.top).toBe(0)
  })

  test.each([0, 50_000, 38_000_000, 75_990_000])('reaches the top of the list by small moves from %d, and not before', (from) => {
    const long = scroll(76_000_000)
    long.go(from)
    let { top } = long
    for (let moves = 0; moves < 60_000 && long.top > 0; moves++) {
      expect(long.at > 0 || long.top === 0).toBe(true)
      long.scrolled(Math.max(0, long.at - 1900))
      expect(top - long.top).toBeLessThanOrEqual(1900)
      top = long.top
    }
    expect(long.top).toBe(0)
    expect(long.at).toBe(0)
  })

  test('what moves in the list does not move the element', () => {
    const long = scroll(76_000_000)
    long.go(30_000_000)
    const { at } = long
    long.total += 76
    long.moved(long.top + 76)
    expect([long.top, long.at]).toEqual([30_000_076, at])
  })
})

describe('a search', () => {
  const hits = (text: string, search: string) => segments(text, wanted(search)).flatMap(({ text, hit }) => (hit ? [text] : []))

  test.each([
    ['Disk almost full', 'disk FULL', ['Disk', 'full']],
    ['Disk almost full', 'alm', ['almost']],
    ['Disk almost full', 'alm full', ['full']],
    ['Café Müller', 'cafe mulle', ['Café', 'Müller']],
    ['Cafe\u0301 noir', 'café', ['Cafe\u0301']],
    ['/var/lib/db-2 is full', 'db-2', ['db-2']],
    ['db 3 and db-2', 'db-2', ['db-2']],
    ['明天的高等数学课调到 302 教室', '数学课', ['数学课']],
    ['ＡＢＣ', 'abc', ['ＡＢＣ']],
    ['diskette', 'disk x', []],
    ['anything', '%', []],
  ])('in “%s” for “%s” marks what the log finds', (text, search, expected) => {
    expect(hits(text, search)).toEqual(expected)
    expect(segments(text, wanted(search)).map((segment) => segment.text).join('')).toBe(text)
  })
})

describe('a filter', () => {
  test('is a place, and the same again', () => {
    const filter = { ...EVERYTHING, feed: 'ops', search: 'a&b=c', event: 'build', outcomes: ['held' as const, 'logged' as const], unread: true, from: '2026-11-21T08:00', summary: 4 }
    expect(sameFilter(filterOf('ops', placeOf(filter)), filter)).toBe(true)
    expect(placeOf(EVERYTHING).toString()).toBe('')
    expect(filterOf(null, new URLSearchParams('outcome=nonsense&time=soon&from=x&summary=-1&unread=1'))).toEqual(EVERYTHING)
  })

  test('asks for times as moments', () => {
    expect(queryOf({ ...EVERYTHING, time: '1h' }, NOON)).toEqual({ since: at(60) })
    expect(queryOf({ ...EVERYTHING, time: 'today' }, NOON)).toEqual({ since: at(720) })
    expect(queryOf({ ...EVERYTHING, to: '2026-11-21T12:00' }, NOON)).toEqual({ until: at(0) })
  })

  test('knows what of the news belongs to its list', () => {
    const event = makeEvent({ seq: 1, event: 'build', outcome: 'held' })
    expect(fits(event, { ...EVERYTHING, event: 'build', outcomes: ['held'] })).toBe(true)
    expect(fits(event, { ...EVERYTHING, outcomes: ['shown'] })).toBe(false)
    expect(fits({ ...event, outcome: 'ignored' }, EVERYTHING)).toBe(false)
    expect(fits({ ...event, outcome: 'ignored' }, { ...EVERYTHING, outcomes: ['ignored'] })).toBe(true)
    expect(fits(event, { ...EVERYTHING, to: '2020-01-01T00:00' })).toBe(false)
  })
})

describe('a long text', () => {
  const all = (text: string) => {
    const source = new Pieces(text, true)
    const pieces = []
    for (let piece = source.next(); piece; piece = source.next()) pieces.push(piece)
    return pieces
  }

  test.each([
    ['text', `${'x'.repeat(100)}\n`.repeat(10_000)],
    ['one line', 'é😀'.repeat(200_000)],
    ['JSON', JSON.stringify(Array.from({ length: 40_000 }, (_, at) => ({ at, text: 'ab' })))],
    ['JSON of one string', JSON.stringify('x'.repeat(1_000_000))],
    ['what hides', '\u202e\u0000'.repeat(10_000)],
  ])('of %s comes whole, in small pieces', (_, text) => {
    const pieces = all(text)
    expect(pieces.length).toBeGreaterThan(2)
    for (const { tokens } of pieces) {
      expect(tokens.length).toBeLessThanOrEqual(4000)
      expect(tokens.reduce((sum, token) => sum + token.text.length, 0)).toBeLessThanOrEqual(70_000)
    }
    const named = (text: string) => text.replace(/[\u202e\u0000]/g, (hidden) => `U+${hidden.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
    const drawn = pieces.flatMap(({ tokens }) => tokens.map((token) => token.text)).join('')
    // JSON is laid out in lines, which changes the spaces alone.
    const bare = (text: string) => text.replace(/\s/g, '')
    expect(bare(drawn) === bare(named(text))).toBe(true)
  })
})
