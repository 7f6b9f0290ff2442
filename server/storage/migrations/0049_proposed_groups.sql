-- Groups that residents want to found: what they say of them, and what officers have decided. group_id is the group that
-- has become of it.
CREATE TABLE proposed_groups (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_ts {int} NOT NULL,
    decided_by TEXT NOT NULL,
    decided_ts {int} NOT NULL,
    reason TEXT NOT NULL,
    group_id TEXT NOT NULL
);
