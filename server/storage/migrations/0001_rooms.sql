-- The room core. A room's events in the order of their arrival; stream positions are shared with everything
-- else that shows in /sync.
CREATE TABLE position_reservation (
    reserved {int} NOT NULL
);
INSERT INTO position_reservation VALUES (0);

CREATE TABLE rooms (
    nid {int} PRIMARY KEY,
    room_id TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    depth {int} NOT NULL,
    extremities TEXT NOT NULL,
    snapshot {int} NOT NULL,
    chain {int} NOT NULL,
    listed {int} NOT NULL
);

CREATE TABLE events (
    stream {int} PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    room {int} NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT,
    sender TEXT NOT NULL,
    ts {int} NOT NULL,
    snapshot {int} NOT NULL,
    replaces TEXT,
    flags {int} NOT NULL,
    txn TEXT,
    redacted_by TEXT,
    json {bytes} NOT NULL
);
CREATE INDEX events_of_room ON events (room, stream);
CREATE INDEX state_events ON events (room, type, state_key) WHERE state_key IS NOT NULL;

-- State after an event: what its snapshot says, or else that snapshot's parent, and so on.
CREATE TABLE state_snapshots (
    id {int} PRIMARY KEY,
    parent {int}
);
CREATE TABLE state_deltas (
    snapshot {int} NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (snapshot, type, state_key)
);
CREATE TABLE current_state (
    room {int} NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (room, type, state_key)
);
CREATE TABLE memberships (
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    membership TEXT NOT NULL,
    event_id TEXT NOT NULL,
    stream {int} NOT NULL,
    sender TEXT NOT NULL,
    forgotten {int} NOT NULL,
    PRIMARY KEY (user_id, room_id)
);
CREATE INDEX memberships_of_room ON memberships (room_id, membership);

CREATE TABLE relations (
    event_id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    rel_type TEXT NOT NULL,
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    sender TEXT NOT NULL,
    stream {int} NOT NULL
);
CREATE INDEX relations_of_target ON relations (target, rel_type, stream);

CREATE TABLE transactions (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    txn_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (user_id, device_id, txn_id, scope)
);
CREATE INDEX transactions_by_age ON transactions (ts);

CREATE TABLE aliases (
    alias TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    creator TEXT NOT NULL
);
CREATE INDEX aliases_of_room ON aliases (room_id);

CREATE TABLE receipts (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    type TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_stream {int} NOT NULL,
    ts {int} NOT NULL,
    stream {int} NOT NULL,
    PRIMARY KEY (room_id, user_id, type, thread_id)
);
CREATE INDEX receipts_by_stream ON receipts (stream);

-- Who is told by an event, beyond what its "notifies" flag says to all: a mention, or a rule of one's own.
CREATE TABLE event_notices (
    stream {int} NOT NULL,
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    notify {int} NOT NULL,
    highlight {int} NOT NULL,
    PRIMARY KEY (user_id, room_id, stream)
);
