-- Nodes that are linked: the city, federations of associations, associations.

-- The areas of whoever hands out invitations: "17201", "17201/morinosato", "17201/morinosato/sakura".
CREATE TABLE areas (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL
);

-- Invitation codes; of the code itself only a hash. room_id: the link that came of it.
CREATE TABLE link_codes (
    hash TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    terms TEXT NOT NULL,
    issuer TEXT NOT NULL,
    created_ts {int} NOT NULL,
    expires_ts {int} NOT NULL,
    used_by TEXT NOT NULL,
    used_ts {int},
    room_id TEXT NOT NULL,
    withdrawn_ts {int}
);

-- direction: above (they invited us) or below (we invited them). mandates: for whom else they may pass notices on.
CREATE TABLE links (
    room_id TEXT PRIMARY KEY,
    direction TEXT NOT NULL,
    server TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    terms TEXT NOT NULL,
    offered TEXT NOT NULL,
    mandates TEXT NOT NULL,
    state TEXT NOT NULL,
    begun_ts {int} NOT NULL,
    changed_ts {int} NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX links_by_server ON links (server);

-- What came from linked nodes and is still to be looked at.
CREATE TABLE linked_inbox (
    event_id TEXT PRIMARY KEY,
    position {int} NOT NULL,
    room_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    urgent {int} NOT NULL,
    ts {int} NOT NULL,
    content {bytes} NOT NULL
);

-- What was refused, for the officers. One row for the same thing again and again.
CREATE TABLE linked_refusals (
    id TEXT PRIMARY KEY,
    ts {int} NOT NULL,
    times {int} NOT NULL,
    server TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX linked_refusals_by_age ON linked_refusals (ts);

-- What the officers have chosen: held categories, the smallest figure that is told.
CREATE TABLE linked_choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
