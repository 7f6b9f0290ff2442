-- Who looks after a group: lets people in, writes what it is about.
CREATE TABLE group_leaders (
    group_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (group_id, person_id)
);
