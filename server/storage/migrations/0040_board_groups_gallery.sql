-- The board, as messages in its room tell it. state: open, promised, handed_over, removed. anonymous: 1 where the node
-- has said it for somebody (board_authors). photos is JSON. closed_by and reason: who has removed it, and why.
CREATE TABLE board_posts (
    event_id TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    category TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    place TEXT NOT NULL,
    state TEXT NOT NULL,
    anonymous {int} NOT NULL,
    photos TEXT NOT NULL,
    created_ms {int} NOT NULL,
    position {int} NOT NULL,
    revision {int} NOT NULL,
    closed_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX board_posts_by_time ON board_posts (created_ms, id);
-- What is said in the thread of a post. by_author: 1 where whoever asked without a name has said it through the node.
CREATE TABLE board_comments (
    event_id TEXT PRIMARY KEY,
    post_event TEXT NOT NULL,
    author TEXT NOT NULL,
    by_author {int} NOT NULL,
    body TEXT NOT NULL,
    photo TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms {int} NOT NULL,
    position {int} NOT NULL,
    closed_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX board_comments_by_post ON board_comments (post_event, position);
-- The messages that show the photos of a post to clients.
CREATE TABLE board_photos (
    event_id TEXT PRIMARY KEY,
    post_event TEXT NOT NULL
);
-- Who would like to have what somebody gives away, as the giver's own room tells it.
CREATE TABLE board_requests (
    post_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    note TEXT NOT NULL,
    granted {int} NOT NULL,
    position {int} NOT NULL,
    PRIMARY KEY (post_id, user_id)
);
-- Who has asked without a name. In no room; only those who look after the board may look, and that is logged.
CREATE TABLE board_authors (
    post_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    ts {int} NOT NULL
);
-- What waits for an officer's yes. state: waiting, approved, declined.
CREATE TABLE board_waiting (
    id TEXT PRIMARY KEY,
    author TEXT NOT NULL,
    content TEXT NOT NULL,
    anonymous {int} NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    ts {int} NOT NULL
);
-- What officers have decided about what was reported.
CREATE TABLE board_decisions (
    id TEXT PRIMARY KEY,
    event_id TEXT NOT NULL,
    post_id TEXT NOT NULL,
    officer TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    ts {int} NOT NULL
);
-- Files that stand in the rooms of groups.
CREATE TABLE group_files (
    event_id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    file TEXT NOT NULL,
    is_photo {int} NOT NULL,
    ts {int} NOT NULL
);
CREATE INDEX group_files_by_room ON group_files (room_id, ts);
-- Photos of gatherings. state of an album: shown, removed; of a photo: shown, hidden, withdrawn, removed.
CREATE TABLE gallery_albums (
    event_id TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    gathering_id TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms {int} NOT NULL
);
CREATE TABLE gallery_photos (
    id TEXT PRIMARY KEY,
    album_id TEXT NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    uploader TEXT NOT NULL,
    picture TEXT NOT NULL,
    state TEXT NOT NULL,
    closed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    ts {int} NOT NULL,
    position {int} NOT NULL
);
CREATE INDEX gallery_photos_by_album ON gallery_photos (album_id, position);
-- Who does not want to be seen in a photo, and what officers have decided.
CREATE TABLE gallery_objections (
    id TEXT PRIMARY KEY,
    photo_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    ts {int} NOT NULL,
    decision TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    answer TEXT NOT NULL
);
