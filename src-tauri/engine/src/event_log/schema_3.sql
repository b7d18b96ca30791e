-- What a popup has beside its texts (icon, group, sound, time, buttons) as JSON, for the events that have any; and which events one
-- popup told of together, by the number of the first of them. Tables of their own, as most events have neither, and a column after
-- `data` would have lists read through the data.
CREATE TABLE extra (
    seq   INTEGER PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE summarized (
    seq     INTEGER PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    summary INTEGER NOT NULL
) STRICT;
CREATE INDEX summarized_summary ON summarized (summary);

-- Outcome 8: held back, told later.
CREATE INDEX waiting ON event (feed) WHERE outcome = 8;
-- What a newer event of the same key replaces, or withdraws.
CREATE INDEX unshown_key ON event (feed, popup_key) WHERE outcome IN (3, 8) AND popup_key IS NOT NULL;

-- What was told under a key, and goes with its popup.
ALTER TABLE unread ADD COLUMN popup_key TEXT;
UPDATE unread SET popup_key = (SELECT e.popup_key FROM event e WHERE e.seq = unread.seq);
CREATE INDEX unread_key ON unread (feed, popup_key) WHERE popup_key IS NOT NULL;
