-- What is asked for by outcome, with the type beside it: what a popup told of and the few that closed their feeds by each outcome; what
-- none told of as one list, among which the ignored ones are few. The others have indexes of their own.
DROP INDEX held;
DROP INDEX held_feed;
CREATE INDEX told ON event (outcome, seq, type) WHERE outcome IN (2, 4, 7);
CREATE INDEX told_feed ON event (feed, outcome, seq, type) WHERE outcome IN (2, 4, 7);
CREATE INDEX held ON event (seq, type, outcome) WHERE outcome IN (5, 6);
CREATE INDEX held_feed ON event (feed, seq, type, outcome) WHERE outcome IN (5, 6);
-- What came while the system's clock was behind an earlier event: the few for which a time is to be compared one by one.
CREATE INDEX set_back ON event (seq, received_at) WHERE received_at < clock;

-- Of deleted events what tells them from others, so that a server that sends one again does not make it news. The newest of each feed.
CREATE TABLE deleted (
    seq           INTEGER PRIMARY KEY,
    feed          INTEGER NOT NULL,
    last_event_id TEXT NOT NULL,
    digest        INTEGER NOT NULL, -- of type and data
    resumable     INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_digest ON deleted (feed, digest);

-- What happened to connections. Kinds: 2 lost, 3 back.
CREATE TABLE connection_change (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    feed          INTEGER NOT NULL REFERENCES feed,
    at            INTEGER NOT NULL,
    after         INTEGER NOT NULL, -- the number of the newest event then
    kind          INTEGER NOT NULL,
    reason_code   TEXT,
    reason_detail TEXT,
    away          INTEGER -- milliseconds
) STRICT;
CREATE INDEX connection_change_after ON connection_change (after);
CREATE INDEX connection_change_feed ON connection_change (feed, after);
