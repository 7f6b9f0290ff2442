-- Files that people of this node have uploaded. "size" is NULL while an id has been given out and no content has come.
CREATE TABLE media (
    media_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    content_type TEXT NOT NULL,
    filename TEXT,
    size {int},
    created_ts {int} NOT NULL
);
CREATE INDEX media_of_owner ON media (owner);
