-- Addresses of calendars that only read: one each for whom a resident gives it to. The secret itself is nowhere.
CREATE TABLE calendar_feeds (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    label TEXT NOT NULL,
    created_ms {int} NOT NULL,
    used_ms {int}
);
CREATE INDEX calendar_feeds_of_user ON calendar_feeds (user_id);

-- What was reminded of: written in the transaction of the reminder itself, so that nobody is reminded twice.
CREATE TABLE reminders (
    user_id TEXT NOT NULL,
    thing TEXT NOT NULL,
    start_ms {int} NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (user_id, thing, start_ms, kind)
);
CREATE INDEX reminders_by_start ON reminders (start_ms);
