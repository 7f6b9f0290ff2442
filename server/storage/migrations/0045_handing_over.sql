-- 役員交代: who holds which office from a day on. Kept as history; whoever has left the roster is a number only.
CREATE TABLE handovers (
    id TEXT PRIMARY KEY,
    created_by TEXT NOT NULL,
    created_ts {int} NOT NULL,
    due_ts {int} NOT NULL,
    state TEXT NOT NULL,
    done_ts {int},
    trouble TEXT NOT NULL
);
CREATE INDEX handovers_by_state ON handovers (state, due_ts);
CREATE TABLE handover_changes (
    handover_id TEXT NOT NULL REFERENCES handovers (id) DEFERRABLE INITIALLY DEFERRED,
    person_id TEXT NOT NULL,
    role TEXT NOT NULL,
    gives {int} NOT NULL,
    PRIMARY KEY (handover_id, person_id, role)
);
-- What an invitation is: '' (coming in), 'phone' (a new telephone at the table), 'only phone' (the others are signed out).
ALTER TABLE invitations ADD COLUMN kind TEXT NOT NULL DEFAULT '';
