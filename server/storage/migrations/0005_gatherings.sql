-- Gatherings, as the messages in rooms tell them. starts and ends are ISO 8601: dates (the end is the day after the
-- last) or moments; revision is the stream position of the last change; name is the calendar's path segment.
CREATE TABLE gatherings (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    title TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    place TEXT NOT NULL,
    description TEXT NOT NULL,
    rule TEXT NOT NULL,
    except_for TEXT NOT NULL,
    audience TEXT NOT NULL,
    state TEXT NOT NULL,
    arranged_by TEXT NOT NULL,
    sequence {int} NOT NULL,
    created_ms {int} NOT NULL,
    changed_ms {int} NOT NULL,
    revision {int} NOT NULL
);
-- The message in each room of the audience that announced it.
CREATE TABLE gathering_posts (
    gathering_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (gathering_id, room_id)
);
