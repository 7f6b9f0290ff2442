-- Hazard reports of the association (危険の知らせ). id: the event that reported it, without its $.
CREATE TABLE hazards (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    words TEXT NOT NULL,
    photo TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    reporter TEXT NOT NULL,
    reported_ts {int} NOT NULL,
    changed_ts {int} NOT NULL
);
CREATE INDEX hazards_by_age ON hazards (reported_ts);
