-- Whether the officers want to know who comes.
ALTER TABLE gatherings ADD COLUMN asks {int} NOT NULL DEFAULT 0;

-- Who comes: one row a reaction to the message that announced a gathering; the last one that stands counts.
-- answer is empty once it was taken back; position is that of the last thing that happened to it.
CREATE TABLE gathering_answers (
    event_id TEXT PRIMARY KEY,
    gathering_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    said_ms {int} NOT NULL,
    position {int} NOT NULL
);
CREATE INDEX gathering_answers_of_user ON gathering_answers (user_id);
CREATE INDEX gathering_answers_of_gathering ON gathering_answers (gathering_id);

-- Invitations that somebody's calendar app has put away: from its inbox, or its own copy of the entry.
CREATE TABLE invitations_put_away (
    user_id TEXT NOT NULL,
    place TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence {int} NOT NULL,
    revision {int} NOT NULL,
    PRIMARY KEY (user_id, place, name)
);
