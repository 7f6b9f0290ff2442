-- Answer slips on paper: which household's (or person's) answer to which poll a printed code stands for.
CREATE TABLE poll_slips (
    id TEXT PRIMARY KEY,
    poll_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    UNIQUE (poll_id, household_id, person_id)
);

-- What this year's officers recommend to the next ones. kind is circular or gathering.
CREATE TABLE good_examples (
    kind TEXT NOT NULL,
    thing_id TEXT NOT NULL,
    note TEXT NOT NULL,
    officer TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (kind, thing_id)
);
CREATE INDEX circular_marks_by_time ON circular_marks (ts);
