-- What web pages say of themselves. "page" is a hash of the address: what residents look at is not written down.
CREATE TABLE previews (
    page TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    fetched_ts {int} NOT NULL
);
CREATE INDEX previews_by_age ON previews (fetched_ts);

-- The room in which the node tells each of its people what they must know.
CREATE TABLE notice_rooms (
    user_id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL
);
