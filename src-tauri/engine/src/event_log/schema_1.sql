-- "Bell": tells an event log from any other SQLite database.
PRAGMA application_id = 0x42656C6C;

-- Every feed that ever had an event; a row stays when its feed leaves feeds.toml.
CREATE TABLE feed (
    key           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    last_event_id TEXT NOT NULL DEFAULT '',
    url_hash      INTEGER, -- of the URL that last_event_id belongs to; not the URL itself, which may hold a secret
    events        INTEGER NOT NULL DEFAULT 0, -- without ignored ones
    unread        INTEGER NOT NULL DEFAULT 0,
    repeats       INTEGER NOT NULL DEFAULT 0, -- held back, never in the log
    ignored       INTEGER NOT NULL DEFAULT 0, -- ever; only the newest are kept
    last_event_at INTEGER
) STRICT;

CREATE TABLE event_type (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Times are milliseconds since 1970. Outcomes: 2 shown, 3 pending, 4 summarized, 5 logged, 6 ignored, 7 closed.
-- `data` comes last, so that a list never reads through it.
CREATE TABLE event (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    feed          INTEGER NOT NULL REFERENCES feed,
    type          INTEGER NOT NULL REFERENCES event_type,
    outcome       INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    clock         INTEGER NOT NULL, -- the latest received_at up to this event: grows with seq even when the clock is set back
    content_hash  INTEGER NOT NULL, -- of type and data, to tell repeats apart where many events have one ID
    last_event_id TEXT NOT NULL,
    origin        TEXT NOT NULL,
    reason_code   TEXT NOT NULL,
    reason_rule   INTEGER,
    reason_detail TEXT NOT NULL,
    urgency       INTEGER NOT NULL,
    title         TEXT NOT NULL,
    url           TEXT,
    popup_key     TEXT,
    body          TEXT NOT NULL,
    data          TEXT NOT NULL
) STRICT;

-- Each list's filter has its index, in the list's order: seq is every index's last column by itself.
CREATE INDEX listed_feed ON event (feed) WHERE outcome <> 6;
CREATE INDEX listed_type ON event (type) WHERE outcome <> 6;
CREATE INDEX listed_feed_type ON event (feed, type) WHERE outcome <> 6;
-- These have the type beside the number: a rarer filter that need not have an index of its own, which each event would pay for.
CREATE INDEX held ON event (seq, type) WHERE outcome IN (5, 6);
CREATE INDEX held_feed ON event (feed, seq, type) WHERE outcome IN (5, 6);
CREATE INDEX pending ON event (seq) WHERE outcome = 3;
CREATE INDEX ignored ON event (feed) WHERE outcome = 6;
CREATE INDEX repeat ON event (feed, last_event_id, content_hash) WHERE last_event_id <> '';

-- The events that are unread: a table of its own, so that reading all of them does not rewrite the log.
CREATE TABLE unread (
    seq  INTEGER PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    feed INTEGER NOT NULL,
    type INTEGER NOT NULL
) STRICT;
CREATE INDEX unread_feed ON unread (feed, seq, type);
CREATE INDEX unread_type ON unread (type);

-- Words of each event, every CJK character a word of its own; `facet` holds the words f<feed> and t<type>.
CREATE VIRTUAL TABLE search USING fts5 (
    title, body, data, facet,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- Merging eight segments at once instead of four rewrites each word less often; a search looks into a few more.
INSERT INTO search (search, rank) VALUES ('automerge', 8);

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
