-- In the order of the events: many are told of one event otherwise than all, and their rows lie beside each other.
-- actions is what the rule of a row says, as JSON; NULL where the other columns say enough.
CREATE TABLE notices (
    stream {int} NOT NULL,
    user_id TEXT NOT NULL,
    notify {int} NOT NULL,
    highlight {int} NOT NULL,
    actions TEXT,
    PRIMARY KEY (stream, user_id)
);
INSERT INTO notices SELECT stream, user_id, notify, highlight, NULL FROM event_notices;
DROP TABLE event_notices;
ALTER TABLE notices RENAME TO event_notices;

-- An event says itself that somebody is told of it otherwise than all (notifications/outcomes.py, TOLD_OTHERWISE).
UPDATE events SET flags = flags | 256 WHERE stream IN (SELECT stream FROM event_notices);

-- Where apps want to be told. delivered is the stream position up to which they were told, badge the last number.
CREATE TABLE pushers (
    user_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    pushkey TEXT NOT NULL,
    device_id TEXT NOT NULL,
    app_display_name TEXT NOT NULL,
    device_display_name TEXT NOT NULL,
    profile_tag TEXT NOT NULL,
    lang TEXT NOT NULL,
    data {bytes} NOT NULL,
    enabled INTEGER NOT NULL,
    set_ts {int} NOT NULL,
    delivered {int} NOT NULL,
    badge INTEGER,
    PRIMARY KEY (user_id, app_id, pushkey)
);
