import type { Credential } from '../generated/Credential'
import type { CredentialEdit } from '../generated/CredentialEdit'
import type { CredentialKind } from '../generated/CredentialKind'
import type { NewSecret } from '../generated/NewSecret'
import { t } from '../i18n/messages.svelte'

export type Source = 'keyring' | 'file' | 'env' | 'command'

export const KINDS: CredentialKind[] = ['bearer', 'basic', 'header', 'query', 'cookie']
export const SOURCES: Source[] = ['keyring', 'file', 'env', 'command']

/** A credential while it is being written. */
export interface AccessDraft {
  kind: CredentialKind
  name: string
  source: Source
  /** The secret itself, for `keyring` and `file`. */
  secret: string
  /** The variable's name, or the command. */
  where: string
}

export function emptyAccess(kind: CredentialKind = 'bearer', name = ''): AccessDraft {
  return { kind, name, source: 'keyring', secret: '', where: '' }
}

/** What is still missing in a draft, in words; empty if nothing is. */
export function missing(draft: AccessDraft): '' | 'name' | 'secret' | 'where' {
  if (draft.kind !== 'bearer' && draft.name.trim() === '') return 'name'
  if (draft.source === 'keyring' || draft.source === 'file') return draft.secret === '' ? 'secret' : ''
  return draft.where.trim() === '' ? 'where' : ''
}

export function accessEdit(draft: AccessDraft): CredentialEdit {
  const name = draft.kind === 'bearer' ? {} : { name: draft.name.trim() }
  return { kind: draft.kind, ...name, secret: secretOf(draft) }
}

function secretOf({ source, secret, where }: AccessDraft): NewSecret {
  if (source === 'keyring') return { keyring: secret }
  if (source === 'file') return { file: secret }
  if (source === 'env') return { env: where.trim() }
  return { command: words(where) }
}

/** A command's program and arguments: quotes keep blanks together, and there is no shell. */
export function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '')
}

export function kindName(kind: CredentialKind): string {
  return t(`ui.access.kind_${kind}`)
}

/** Where the secret of a credential is. */
export function whereabouts({ source, detail }: Credential): string {
  const known = SOURCES.find((name) => name === source)
  return known ? t(`ui.access.in_${known}`, { detail }) : source
}
