-- What residents have added for themselves to entries of calendars that they share: alarms, and what their app notes.
CREATE TABLE calendar_overlays (
    user_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    revision {int} NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (user_id, collection, name)
);
