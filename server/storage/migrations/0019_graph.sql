-- A room whose graph is not a straight line, because other servers write in it too.

-- The room's state after an event entered it, where that is not simply the state after the event.
ALTER TABLE events ADD COLUMN room_snapshot {int};

-- Ends of what we know of a room towards its past: events that known ones follow and that we have not.
CREATE TABLE back_edges (
    room {int} NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (room, event_id)
);

-- Redactions that came before what they redact.
CREATE TABLE early_redactions (
    target TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (target, event_id)
);

-- Whether we take part in a room, or have only been told of it (an invitation).
ALTER TABLE rooms ADD COLUMN outside {int} NOT NULL DEFAULT 0;
