-- Copies of other servers' files, kept for a while. "file_id" is this node's own name for the copy on the disk.
CREATE TABLE remote_media (
    server_name TEXT NOT NULL,
    media_id TEXT NOT NULL,
    file_id TEXT NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    filename TEXT,
    size {int} NOT NULL,
    fetched_ts {int} NOT NULL,
    used_ts {int} NOT NULL,
    PRIMARY KEY (server_name, media_id)
);
CREATE INDEX remote_media_by_use ON remote_media (used_ts);

-- Who has joined the successor of a room, and has not yet got there what they had set about the old one.
CREATE TABLE successor_moves (
    new_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    old_id TEXT NOT NULL,
    PRIMARY KEY (new_id, user_id)
);
