import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { screen, waitFor, within } from '@testing-library/svelte'
import { describe, expect, test } from 'vitest'
import { addresses, suggestedName, worthAsking } from '../src/lib/addresses'
import { PRESETS } from '../src/lib/presets'
import { samplePopup } from '../src/lib/sample'
import { Fake } from '../src/transport/fake/fake'
import { makeProbe } from '../src/transport/fake/feeds'
import { Failure } from '../src/transport/transport'
import { openWindow, twoFeeds } from './window'

const dialog = () => within(screen.getByRole('dialog'))
const sent = (fake: Fake, line: string) => fake.requests.filter((request) => request.line === line).map(({ body }) => body)

async function openDialog(fake: Fake) {
  const window = await openWindow(fake)
  await screen.findByRole('heading', { name: /All events|全部事件/ })
  await window.person.keyboard('n')
  return { ...window, url: dialog().getByLabelText(/Address|地址/) }
}

describe('first start', () => {
  test('from nothing to a feed: paste, and one click', async () => {
    const { person, fake } = await openWindow(new Fake())
    const url = await screen.findByLabelText('Address')
    expect(url).toHaveFocus()
    await person.paste('https://ntfy.example.org/builds/sse')
    expect(await screen.findByText('Event stream found')).toBeVisible()
    expect(screen.getByText('ntfy: recognised by its address')).toBeVisible()
    expect(screen.getByText('Nothing is lost over a reconnect: the server numbers its events.')).toBeVisible()
    expect(within(screen.getByRole('figure')).getByText('Disk almost full on db-2')).toBeVisible()
    await person.click(screen.getByRole('button', { name: 'Add feed' }))
    expect(await screen.findByRole('heading', { name: 'builds (ntfy)' })).toBeVisible()
    expect(sent(fake, 'POST /feeds')).toEqual([{ url: 'https://ntfy.example.org/builds/sse', name: 'builds (ntfy)' }])
    expect(sent(fake, 'POST /probe')).toHaveLength(1)
  })

  test('offers the demo, which leads to the feed', async () => {
    const { person, fake } = await openWindow(new Fake())
    await person.click(await screen.findByRole('button', { name: 'Try the demo feed' }))
    expect(await screen.findByRole('heading', { name: 'Demo' })).toBeVisible()
    expect(fake.requests.map(({ line }) => line)).toContain('POST /demo')
    expect(screen.getByText('They appear here the moment they arrive.')).toBeVisible()
  })

  test('fills in an example, and says where popups cannot be shown', async () => {
    const fake = new Fake()
    fake.status.parts = [{ name: 'notifications', available: false, detail: '' }]
    const { person } = await openWindow(fake)
    await person.click(await screen.findByRole('button', { name: /^ntfy/ }))
    const url = screen.getByLabelText('Address')
    await waitFor(() => expect(url).toHaveValue('https://ntfy.sh/<topic>/sse'))
    expect(url).toHaveFocus()
    expect(sent(fake, 'POST /probe')).toEqual([])
    expect(screen.getByText(/^No notification service is running here/)).toBeVisible()
  })

  test('speaks Chinese', async () => {
    const { person } = await openWindow(new Fake({ locale: 'zh-CN' }))
    await screen.findByLabelText('地址')
    await person.paste('https://ntfy.example.org/builds/sse')
    expect(await screen.findByText('找到事件流')).toBeVisible()
    await person.click(screen.getByRole('button', { name: '添加' }))
    expect(await screen.findByRole('heading', { name: 'builds (ntfy)' })).toBeVisible()
  })
})

describe('adding a feed', () => {
  test('a typed address is looked at after a pause, and the newer one counts', async () => {
    const fake = twoFeeds()
    let answer = (_: unknown) => {}
    const asked: string[] = []
    fake.on<{ url: string }>('POST', '/probe', ({ body }) => {
      asked.push(body.url)
      return asked.length === 1 ? new Promise((resolve) => (answer = resolve)) : makeProbe({ events: [{ event: 'newer', count: 2, data: 'x', data_truncated: false, id: '' }] })
    })
    const { person, url } = await openDialog(fake)
    await person.type(url, 'https://example.org/a{Enter}')
    expect(await dialog().findByText(/^Looking at what is there/)).toBeVisible()
    // It can be added all the time.
    expect(dialog().getByRole('button', { name: 'Add anyway' })).toBeEnabled()
    await person.type(url, 'b')
    expect(await dialog().findByText('newer')).toBeVisible()
    answer(makeProbe({ fault: { code: 'refused', detail: 'example.org:443' } }))
    await Promise.resolve()
    expect(dialog().queryByText(/refuses the connection/)).toBeNull()
    expect(asked).toEqual(['https://example.org/a', 'https://example.org/ab'])
  })

  test('a mistake in the address is told at the field', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.click(dialog().getByRole('button', { name: 'Add feed' }))
    expect(dialog().getByText('The address is missing.')).toBeVisible()
    expect(fake.requests.every(({ line }) => line.startsWith('GET'))).toBe(true)
    await person.type(url, 'ftp://example.org/feed{Enter}')
    expect(await dialog().findByText('The address has to begin with http:// or https://.')).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Add anyway' }))
    await waitFor(() => expect(url).toBeInvalid())
    expect(url).toHaveFocus()
    expect(url).toHaveValue('ftp://example.org/feed')
  })

  test('cause and cure of a fault are told, and it can be added anyway', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'https://refused.example.org/events{Enter}')
    expect(await dialog().findByText(/^refused\.example\.org refuses the connection\. Check the port/)).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Add anyway' }))
    expect(await screen.findByRole('heading', { name: 'refused.example.org' })).toBeVisible()
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(sent(fake, 'POST /feeds')).toHaveLength(1)
  })

  test('a server that wants a sign-in gets one, and the secret goes to the keyring', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'https://private.example.org/events{Enter}')
    expect(await dialog().findByText(/^The server asks for a sign-in/)).toBeVisible()
    const token = await dialog().findByLabelText('Token')
    expect(token).toHaveAttribute('type', 'password')
    await person.type(token, 'tk_1')
    await person.click(dialog().getByRole('button', { name: 'Show' }))
    expect(token).toHaveAttribute('type', 'text')
    expect(await dialog().findByText('Event stream found')).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Add feed' }))
    expect(await screen.findByRole('heading', { name: 'private.example.org' })).toBeVisible()
    expect(sent(fake, 'POST /probe').at(-1)).toMatchObject({ url: 'https://private.example.org/events', credentials: [{ kind: 'bearer', secret: { keyring: 'tk_1' } }] })
    expect(sent(fake, 'POST /feeds')).toEqual([
      { url: 'https://private.example.org/events', name: 'private.example.org', credentials: [{ kind: 'bearer', secret: { keyring: 'tk_1' } }] },
    ])
  })

  test('without a keyring another place is chosen, and nothing typed is lost', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'https://private.example.org/events{Enter}')
    await person.type(await dialog().findByLabelText('Token'), 'no keyring')
    await person.click(dialog().getByRole('button', { name: /^Add/ }))
    expect(await dialog().findByText(/^The keyring cannot be used/)).toBeVisible()
    expect(dialog().getByLabelText('Token')).toHaveValue('no keyring')
    await person.click(dialog().getByRole('radio', { name: /^File/ }))
    await person.click(dialog().getByRole('button', { name: /^Add/ }))
    expect(await screen.findByRole('heading', { name: 'private.example.org' })).toBeVisible()
    expect(sent(fake, 'POST /feeds').at(-1)).toMatchObject({ credentials: [{ kind: 'bearer', secret: { file: 'no keyring' } }] })
  })

  test('credentials over plain http are refused until they are allowed', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'http://private.example.org/events{Enter}')
    await person.type(await dialog().findByLabelText('Token'), 'tk_1')
    await person.tab()
    expect(await dialog().findByText(/over plain http, where others can read along/)).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Allow plain http for this feed' }))
    expect(await dialog().findByText('Event stream found')).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Add feed' }))
    await waitFor(() => expect(sent(fake, 'POST /feeds')).toMatchObject([{ settings: { plain_http: true } }]))
  })

  test('an address that a feed has already leads to it', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'https://mail.example.org/events{Enter}')
    await person.click(await dialog().findByRole('link', { name: 'Mail' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(sent(fake, 'POST /probe')).toEqual([])
  })

  test('settings that hardly anybody needs are folded away, and sent when given', async () => {
    const { person, fake, url } = await openDialog(twoFeeds())
    await person.type(url, 'https://selfsigned.example.org/events{Enter}')
    // What the fault is about is unfolded.
    await waitFor(() => expect(dialog().getByText('Advanced settings').closest('details')).toHaveAttribute('open'))
    await person.type(dialog().getByLabelText('Id'), 'own')
    await person.type(dialog().getByLabelText('Group'), 'Work')
    await person.type(dialog().getByLabelText('Trusted authorities'), '~/ca.pem')
    await person.click(dialog().getByRole('switch', { name: 'Start paused' }))
    await person.click(dialog().getByRole('button', { name: 'Add anyway' }))
    await screen.findByRole('heading', { name: 'selfsigned.example.org' })
    expect(sent(fake, 'POST /feeds')).toEqual([
      { url: 'https://selfsigned.example.org/events', name: 'selfsigned.example.org', id: 'own', paused: true, settings: { group: 'Work', ca_file: '~/ca.pem' } },
    ])
  })

  test('a redirect that is meant to last is offered as the address', async () => {
    const fake = twoFeeds()
    const moved = { status: 308, url: 'https://new.example.org/events', other_origin: true }
    fake.on<{ url: string }>('POST', '/probe', ({ body }) => makeProbe(body.url === moved.url ? {} : { redirects: [moved] }))
    const { person, url } = await openDialog(fake)
    await person.type(url, 'https://old.example.org/events{Enter}')
    await person.click(await dialog().findByRole('button', { name: 'Use this address' }))
    expect(url).toHaveValue(moved.url)
  })

  test('a program that cannot look is no hindrance, and nothing typed is lost', async () => {
    const fake = twoFeeds()
    fake.on('POST', '/probe', () => {
      throw new Failure('unreachable')
    })
    const { person, url } = await openDialog(fake)
    await person.type(url, 'https://example.org/events{Enter}')
    expect(await dialog().findByText(/^What there is at this address could not be looked at/)).toBeVisible()
    expect(url).toHaveValue('https://example.org/events')
    expect(dialog().getByRole('button', { name: 'Add anyway' })).toBeEnabled()
  })

  test('what was begun at the first start outlives a restart of the program', async () => {
    const fake = new Fake()
    const { person } = await openWindow(fake)
    await screen.findByLabelText('Address')
    await person.paste('https://private.example.org/events')
    await person.type(await screen.findByLabelText('Token'), 'tk_1')
    fake.stop()
    expect(await screen.findByText(/^Bellwether does not answer/)).toBeVisible()
    expect(screen.getByRole('button', { name: /^Add/, description: '' })).toBeDisabled()
    fake.run()
    await waitFor(() => expect(screen.queryByText(/^Bellwether does not answer/)).toBeNull())
    expect(await screen.findByLabelText('Address')).toHaveValue('https://private.example.org/events')
    expect(screen.getByLabelText('Token')).toHaveValue('tk_1')
  })

  test('a scheme that is left out is filled in', async () => {
    const { person, url } = await openDialog(twoFeeds())
    await person.type(url, 'example.org/stream{Enter}')
    expect(await dialog().findByText('Event stream found')).toBeVisible()
    expect(url).toHaveValue('https://example.org/stream')
  })

  test('several addresses pasted at once are added together', async () => {
    const { person, fake } = await openDialog(twoFeeds())
    await person.paste('https://a.example.org/events\nhttps://b.example.org/events\n')
    expect(await dialog().findByText('2 addresses were pasted, each for a feed of its own:')).toBeVisible()
    await person.click(dialog().getByRole('button', { name: 'Add all' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(fake.status.feeds).toHaveLength(4)
  })
})

describe('what an address tells', () => {
  test('are several, one a line, or none', () => {
    expect(addresses('https://a.example\nhttp://b.example/x\n')).toEqual(['https://a.example', 'http://b.example/x'])
    expect(addresses('https://a.example\nand more')).toEqual([])
  })

  test('is worth asking once it could be whole', () => {
    for (const url of ['https://example.org', 'http://localhost:80/x', 'http://10.0.0.1/', 'http://[::1]/x']) expect(worthAsking(url), url).toBe(true)
    for (const url of ['', 'https://', 'https://exam', 'example.org', 'https://ntfy.sh/<topic>/sse', 'https://example.']) expect(worthAsking(url), url).toBe(false)
  })

  test('is a name', () => {
    const names = {
      'https://ntfy.sh/alerts/sse': 'alerts',
      'https://example.org/events': 'example.org',
      'https://www.example.org/': 'example.org',
      'https://example.org/api/v1/stream?x=1': 'example.org',
    }
    for (const [url, name] of Object.entries(names)) expect(suggestedName(url, undefined), url).toBe(name)
    expect(suggestedName('https://ntfy.sh/alerts/sse', 'ntfy')).toBe('alerts (ntfy)')
    expect(suggestedName('http://10.0.0.7:8123/api/stream', 'Home Assistant')).toBe('Home Assistant (10.0.0.7)')
  })

  test('the presets are those of the program', () => {
    const files = readdirSync(join(import.meta.dirname, '../../src-tauri/engine/presets'))
    expect(PRESETS.map(({ id }) => `${id}.toml`).sort()).toEqual(files.sort())
  })

  test('a sample is a popup as the program makes it where no rule is about it', () => {
    expect(samplePopup({ event: 'message', data: '{"subject":"Hi","text":"there","n":1}' }, 'Mail')).toEqual({ title: 'Hi', body: 'there' })
    expect(samplePopup({ event: 'tick', data: '{"n":1,"deep":{"a":2}}' }, 'Mail')).toEqual({ title: 'Mail: tick', body: 'n: 1\ndeep: {"a":2}' })
    expect(samplePopup({ event: 'message', data: 'plain' }, 'Mail')).toEqual({ title: 'Mail', body: 'plain' })
  })
})
