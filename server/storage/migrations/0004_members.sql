-- The association: who belongs to it. Personal data, kept in tables only so that they can be corrected and erased.
CREATE TABLE blocks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    place {int} NOT NULL
);
CREATE TABLE households (
    id TEXT PRIMARY KEY,
    block_id TEXT NOT NULL REFERENCES blocks (id) DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    place {int} NOT NULL,
    channel TEXT NOT NULL
);
CREATE INDEX households_of_block ON households (block_id);
CREATE TABLE persons (
    id TEXT PRIMARY KEY,
    household_id TEXT NOT NULL REFERENCES households (id) DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL,
    kana TEXT NOT NULL,
    phone TEXT NOT NULL,
    wants_paper {int} NOT NULL,
    place {int} NOT NULL,
    user_id TEXT UNIQUE
);
CREATE INDEX persons_of_household ON persons (household_id);
CREATE TABLE roles (
    person_id TEXT NOT NULL REFERENCES persons (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL,
    since_ts {int} NOT NULL,
    PRIMARY KEY (person_id, role)
);
CREATE TABLE member_groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    place {int} NOT NULL
);
CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES member_groups (id) DEFERRABLE INITIALLY DEFERRED,
    person_id TEXT NOT NULL REFERENCES persons (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (group_id, person_id)
);
CREATE INDEX groups_of_person ON group_members (person_id);

-- Who looked at the roster, and at what; for everybody who is on it.
CREATE TABLE access_log (
    id TEXT PRIMARY KEY,
    ts {int} NOT NULL,
    viewer TEXT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX access_log_by_time ON access_log (ts);

-- key: a purpose ("circulars"), "block:<id>", "group:<id>" or "desk:<person id>".
-- name is what the room was last called, linked whether the space shows it (or need not).
CREATE TABLE association_rooms (
    key TEXT PRIMARY KEY,
    room_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    linked {int} NOT NULL
);
-- Persons whose rooms must still follow a change of the roster; mark tells one change from the next.
CREATE TABLE rooms_due (
    person_id TEXT PRIMARY KEY,
    mark TEXT NOT NULL
);

-- Neither the token nor the short code is on disk, only what their owner can be recognised by.
CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    token_hash {bytes} NOT NULL UNIQUE,
    code_hash {bytes} NOT NULL UNIQUE,
    person_id TEXT REFERENCES persons (id) DEFERRABLE INITIALLY DEFERRED,
    created_by TEXT NOT NULL,
    created_ts {int} NOT NULL,
    expires_ts {int} NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX invitations_of_person ON invitations (person_id);
