import type { CredentialKind } from '../generated/CredentialKind'

/** A provider that the program knows. */
export interface Preset {
  id: string
  name: string
  /** What lets one in there, as a rule. */
  kind?: CredentialKind
  /** The header's, parameter's or cookie's name of that. */
  credential?: string
}

/** As in the program's own folder of presets. */
export const PRESETS: Preset[] = [
  { id: 'ntfy', name: 'ntfy', kind: 'bearer' },
  { id: 'mercure', name: 'Mercure', kind: 'bearer' },
  { id: 'mastodon', name: 'Mastodon', kind: 'bearer' },
  { id: 'home-assistant', name: 'Home Assistant', kind: 'bearer' },
  { id: 'openhab', name: 'openHAB', kind: 'basic' },
  { id: 'couchdb', name: 'CouchDB', kind: 'basic' },
  { id: 'firebase', name: 'Firebase', kind: 'query', credential: 'auth' },
  { id: 'wikimedia', name: 'Wikimedia EventStreams' },
  { id: 'esphome', name: 'ESPHome', kind: 'basic' },
  { id: 'smee', name: 'smee.io' },
  { id: 'nchan', name: 'Nchan, Pushpin', kind: 'bearer' },
  { id: 'base64-log', name: 'Base64 log', kind: 'basic' },
  { id: 'json', name: 'JSON', kind: 'bearer' },
  { id: 'text', name: 'Text', kind: 'bearer' },
]

/** Addresses to begin with: what is to be filled in stands between `<` and `>`. */
export const EXAMPLES: { name: string; url: string }[] = [
  { name: 'ntfy', url: 'https://ntfy.sh/<topic>/sse' },
  { name: 'Home Assistant', url: 'http://<host>:8123/api/stream' },
  { name: 'Wikimedia', url: 'https://stream.wikimedia.org/v2/stream/recentchange' },
]
