-- Notices of a city or a federation of associations: those that we have sent, and those that have come.

-- key: origin/id. standing: own, arrived (being shown), held, shown, declined. twin_id: the poll or the safety check.
CREATE TABLE notices (
    key TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    revision {int} NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    category TEXT NOT NULL,
    priority TEXT NOT NULL,
    title TEXT NOT NULL,
    standing TEXT NOT NULL,
    sent_ts {int} NOT NULL,
    expires_ts {int} NOT NULL,
    received_ts {int} NOT NULL,
    circular_id TEXT NOT NULL,
    twin_id TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_ts {int},
    signed {bytes} NOT NULL
);
CREATE INDEX notices_by_age ON notices (sent_ts);
CREATE INDEX notices_by_circular ON notices (circular_id);
CREATE INDEX notices_by_twin ON notices (twin_id);

-- Every revision as it was signed.
CREATE TABLE notice_originals (
    key TEXT NOT NULL,
    revision {int} NOT NULL,
    signed {bytes} NOT NULL,
    PRIMARY KEY (key, revision)
);

-- By which links a notice has come.
CREATE TABLE notice_ways (
    key TEXT NOT NULL,
    revision {int} NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (key, revision, room_id)
);

-- Over which links a notice goes; event_id is empty until it has gone.
CREATE TABLE notice_sends (
    key TEXT NOT NULL,
    revision {int} NOT NULL,
    room_id TEXT NOT NULL,
    urgent {int} NOT NULL,
    event_id TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (key, revision, room_id)
);
CREATE INDEX notice_sends_waiting ON notice_sends (event_id);
