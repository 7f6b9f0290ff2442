-- What holds in each block, as state events of its room tell it; content is their JSON.
CREATE TABLE garbage_plans (
    block_id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    changed_ms {int} NOT NULL,
    revision {int} NOT NULL
);
-- Days that are otherwise, as messages in the rooms of blocks tell them.
CREATE TABLE garbage_changes (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    revision {int} NOT NULL
);
-- The city's open data, to choose from and to look things up; place is that in its file.
CREATE TABLE garbage_areas (
    name TEXT PRIMARY KEY,
    place {int} NOT NULL,
    content TEXT NOT NULL
);
CREATE TABLE garbage_centers (
    name TEXT PRIMARY KEY,
    content TEXT NOT NULL
);
CREATE TABLE garbage_things (
    place {int} PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    notice TEXT NOT NULL,
    kana TEXT NOT NULL
);
-- Duties, as messages in rooms tell them: content is the JSON of the last one.
CREATE TABLE duties (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    created_ms {int} NOT NULL,
    changed_ms {int} NOT NULL,
    revision {int} NOT NULL
);
-- The message in each room that tells of a duty.
CREATE TABLE duty_posts (
    duty_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (duty_id, room_id)
);
