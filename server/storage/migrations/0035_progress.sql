-- What associations tell of their progress, by their consent, and what we have told last (no room). The newest ts holds.
CREATE TABLE progress_reports (
    server TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    ts {int} NOT NULL,
    signed {bytes} NOT NULL
);
