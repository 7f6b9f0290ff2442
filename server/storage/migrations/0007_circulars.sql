-- Circulars: one message in every room of the audience, its files in the thread below, and who has opened or
-- acknowledged it. Who has seen it follows from the receipts.
CREATE TABLE circulars (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    category TEXT NOT NULL,
    audience TEXT NOT NULL,
    issuer TEXT NOT NULL,
    state TEXT NOT NULL,
    revision {int} NOT NULL,
    created_ts {int} NOT NULL,
    changed_ts {int} NOT NULL,
    deadline {int},
    attachments TEXT NOT NULL,
    reason TEXT NOT NULL,
    upstream TEXT NOT NULL
);
CREATE INDEX circulars_by_age ON circulars (created_ts);
CREATE INDEX circulars_by_change ON circulars (changed_ts);

CREATE TABLE circular_rooms (
    circular_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    position {int} NOT NULL,
    revision {int} NOT NULL,
    PRIMARY KEY (circular_id, room_id)
);
CREATE INDEX circular_rooms_by_event ON circular_rooms (event_id);

CREATE TABLE circular_attachments (
    event_id TEXT PRIMARY KEY,
    circular_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    url TEXT NOT NULL
);
CREATE INDEX circular_attachments_of ON circular_attachments (circular_id);

-- kind: opened, acknowledged, paper. A person's mark, or (paper) one of a whole household.
CREATE TABLE circular_marks (
    id TEXT PRIMARY KEY,
    circular_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    ts {int} NOT NULL,
    entered_by TEXT NOT NULL
);
CREATE INDEX circular_marks_of ON circular_marks (circular_id);
CREATE INDEX circular_marks_of_person ON circular_marks (person_id, circular_id);
