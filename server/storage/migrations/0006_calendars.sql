-- Calendars that are kept as items (personal ones). The association's own are projections and have no rows here.
CREATE TABLE calendars (
    id {int} PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    component TEXT NOT NULL,
    revision {int} NOT NULL,
    forgotten {int} NOT NULL,
    created_ms {int} NOT NULL,
    changed_ms {int} NOT NULL,
    UNIQUE (owner, name)
);

-- Whose first calendars have been made, so that a deleted one does not come back.
CREATE TABLE calendar_homes (
    user_id TEXT PRIMARY KEY,
    created_ms {int} NOT NULL
);

-- first_ms and last_ms bound all occurrences; NULL is no bound. exact: the bounds are the one occurrence.
CREATE TABLE calendar_items (
    calendar {int} NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    etag TEXT NOT NULL,
    size {int} NOT NULL,
    revision {int} NOT NULL,
    changed_ms {int} NOT NULL,
    first_ms {int},
    last_ms {int},
    exact {int} NOT NULL,
    data {bytes} NOT NULL,
    PRIMARY KEY (calendar, name)
);
CREATE UNIQUE INDEX calendar_items_by_uid ON calendar_items (calendar, uid);
CREATE INDEX calendar_items_by_revision ON calendar_items (calendar, revision);
CREATE INDEX calendar_items_by_time ON calendar_items (calendar, last_ms, first_ms);

-- Names that are gone, for sync-collection.
CREATE TABLE calendar_tombstones (
    calendar {int} NOT NULL,
    name TEXT NOT NULL,
    revision {int} NOT NULL,
    PRIMARY KEY (calendar, name)
);
CREATE INDEX calendar_tombstones_by_revision ON calendar_tombstones (calendar, revision);

-- What one user has set on one collection (colour, order, a name of one's own, properties that we do not know).
CREATE TABLE calendar_properties (
    user_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user_id, collection, name)
);

CREATE TABLE app_passwords (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    label TEXT NOT NULL,
    created_ms {int} NOT NULL,
    used_ms {int}
);
CREATE INDEX app_passwords_of_user ON app_passwords (user_id);
