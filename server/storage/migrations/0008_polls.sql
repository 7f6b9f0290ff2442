-- Polls: one question in every room of its audience, as a message and as a native poll; every answer ever given.
CREATE TABLE polls (
    id TEXT PRIMARY KEY,
    question TEXT NOT NULL,
    choices TEXT NOT NULL,
    most {int} NOT NULL,
    disclosed {int} NOT NULL,
    audience TEXT NOT NULL,
    issuer TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ts {int} NOT NULL,
    deadline {int},
    closed_ts {int}
);
CREATE INDEX polls_by_age ON polls (created_ts);
CREATE INDEX polls_by_state ON polls (state);

CREATE TABLE poll_rooms (
    poll_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    message_event TEXT,
    poll_event TEXT,
    ended {int} NOT NULL,
    told {int} NOT NULL,
    PRIMARY KEY (poll_id, room_id)
);

CREATE TABLE poll_answers (
    id TEXT PRIMARY KEY,
    poll_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    place {int} NOT NULL,
    ts {int} NOT NULL,
    chosen TEXT NOT NULL,
    channel TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    withdrawn {int} NOT NULL
);
CREATE INDEX poll_answers_of_poll ON poll_answers (poll_id, place);
