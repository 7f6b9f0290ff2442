-- Circulars that ring also where circulars are muted.
ALTER TABLE circulars ADD COLUMN is_important {int} NOT NULL DEFAULT 0;

-- Reactions to circulars that acknowledge nothing; a projection of the reaction events.
CREATE TABLE circular_stamps (
    event_id TEXT PRIMARY KEY,
    circular_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    stamp TEXT NOT NULL
);
CREATE INDEX circular_stamps_of ON circular_stamps (circular_id);
