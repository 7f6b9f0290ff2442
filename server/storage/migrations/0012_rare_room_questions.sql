-- What members have told the admins about rooms, events and people. Empty texts where a report is not about such.
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    reporter TEXT NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    ts {int} NOT NULL
);
CREATE INDEX reports_of_reporter ON reports (reporter, ts);

-- Finding a day in a room's past.
CREATE INDEX events_by_time ON events (room, ts);

-- The threads of each room; latest is the stream position of the newest answer.
CREATE TABLE threads (
    room {int} NOT NULL,
    root TEXT NOT NULL,
    latest {int} NOT NULL,
    PRIMARY KEY (room, root)
);
CREATE INDEX threads_by_news ON threads (room, latest);
INSERT INTO threads
    SELECT events.room, relations.target, max(relations.stream)
    FROM relations JOIN events ON events.event_id = relations.event_id
    WHERE relations.rel_type = 'm.thread' AND events.flags IN (0, 4)
    GROUP BY events.room, relations.target;

-- What is said in a stretch of a room's past, up to the position ends: a Bloom filter over pieces of words. Written
-- when somebody searches. Without bits, the stretch must be read.
CREATE TABLE search_blocks (
    room {int} NOT NULL,
    ends {int} NOT NULL,
    bits {bytes} NOT NULL,
    PRIMARY KEY (room, ends)
);
