-- What a feed resumes by where it is neither its last event ID nor nothing, and a hash of the way that it was taken: a value of
-- another way is of no use.
ALTER TABLE feed ADD COLUMN resume_value TEXT NOT NULL DEFAULT '';
ALTER TABLE feed ADD COLUMN resume_hash INTEGER;

-- The events that brought such a value. They may have no ID, so repeats are known by content; a table of its own, as most feeds have
-- none.
CREATE TABLE resumable (
    seq          INTEGER PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    feed         INTEGER NOT NULL,
    content_hash INTEGER NOT NULL
) STRICT;
CREATE INDEX resumable_content ON resumable (feed, content_hash);
