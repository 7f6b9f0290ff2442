-- Safety checks. One row a person who is asked or visited (safety_prompts) and every answer ever given
-- (safety_answers). room_id is NULL for somebody without an account; message_event is NULL until they are asked.
CREATE TABLE safety_checks (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    drill {int} NOT NULL,
    audience TEXT NOT NULL,
    issuer TEXT NOT NULL,
    state TEXT NOT NULL,
    started_ts {int} NOT NULL,
    closed_ts {int},
    room_id TEXT NOT NULL
);
CREATE INDEX safety_checks_by_age ON safety_checks (started_ts);

CREATE TABLE safety_prompts (
    check_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    room_id TEXT,
    message_event TEXT,
    poll_event TEXT,
    position {int} NOT NULL,
    read_ts {int},
    ended {int} NOT NULL,
    confirmed {int} NOT NULL,
    status TEXT NOT NULL,
    answered_ts {int},
    comment TEXT NOT NULL,
    people {int},
    geo_uri TEXT NOT NULL,
    channel TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    PRIMARY KEY (check_id, person_id)
);

CREATE TABLE safety_answers (
    id TEXT PRIMARY KEY,
    check_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    place {int} NOT NULL,
    ts {int} NOT NULL,
    status TEXT NOT NULL,
    comment TEXT NOT NULL,
    people {int},
    geo_uri TEXT NOT NULL,
    channel TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    withdrawn {int} NOT NULL
);
CREATE INDEX safety_answers_of_person ON safety_answers (check_id, person_id, place);
