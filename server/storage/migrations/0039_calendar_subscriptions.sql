-- Where a calendar that somebody else publishes is fetched from, and what its server said about the last good answer.
CREATE TABLE calendar_subscriptions (
    calendar TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    etag TEXT NOT NULL,
    modified TEXT NOT NULL,
    good_ms {int} NOT NULL,
    next_ms {int} NOT NULL,
    trouble TEXT NOT NULL
);
