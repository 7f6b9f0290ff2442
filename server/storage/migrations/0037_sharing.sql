-- Neighbours share calendars, facilities, hazard reports and a board.

-- Codes that were handed to neighbours; of the code itself only a hash. room_id: the share that came of it.
CREATE TABLE share_codes (
    hash TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    terms TEXT NOT NULL,
    issuer TEXT NOT NULL,
    created_ts {int} NOT NULL,
    expires_ts {int} NOT NULL,
    used_by TEXT NOT NULL,
    room_id TEXT NOT NULL,
    withdrawn_ts {int}
);

-- With whom we share. is_ours: we have made the room. given: what we show them; taken: what they show us.
CREATE TABLE shares (
    room_id TEXT PRIMARY KEY,
    server TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    is_ours {int} NOT NULL,
    given TEXT NOT NULL,
    taken TEXT NOT NULL,
    space_id TEXT NOT NULL,
    board_id TEXT NOT NULL,
    state TEXT NOT NULL,
    begun_ts {int} NOT NULL,
    changed_ts {int} NOT NULL,
    reason TEXT NOT NULL
);

-- What we have told a neighbour last, so that only what has changed is told again.
CREATE TABLE things_given (
    room_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    digest TEXT NOT NULL,
    revision {int} NOT NULL,
    PRIMARY KEY (room_id, kind, id)
);

-- What a neighbour has told us. note: what became of it here (why a request was declined).
CREATE TABLE things_taken (
    room_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision {int} NOT NULL,
    content {bytes} NOT NULL,
    received_ts {int} NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (room_id, kind, id)
);

-- What our residents have asked of a neighbour's facilities; who it was stays here.
CREATE TABLE bookings_asked (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    person TEXT NOT NULL,
    facility_id TEXT NOT NULL,
    facility TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    title TEXT NOT NULL,
    asked_ts {int} NOT NULL,
    is_cancelled {int} NOT NULL
);
CREATE INDEX bookings_asked_by_person ON bookings_asked (person);
