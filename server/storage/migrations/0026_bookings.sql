-- Facilities, as state events of the space tell them; content is their JSON.
CREATE TABLE facilities (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    revision {int} NOT NULL
);
-- Bookings, as messages in 窓口 tell them; content is their JSON, revision the position of the last change.
CREATE TABLE bookings (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    created_ms {int} NOT NULL,
    changed_ms {int} NOT NULL,
    revision {int} NOT NULL
);
-- What people have asked for in their 窓口 and has no answer yet.
CREATE TABLE booking_requests (
    event_id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    content TEXT NOT NULL,
    position {int} NOT NULL,
    ts {int} NOT NULL
);
