-- Polls: who has a voice (persons or households), polls that residents make, sheets of a whole household, reactions that
-- stand beside each other; and, for a poll that is closed, who had a voice when it was.
-- Answers: unit is 'person' or 'household' and voice their id.
ALTER TABLE polls ADD COLUMN counting TEXT NOT NULL DEFAULT 'person';
ALTER TABLE polls ADD COLUMN native {int} NOT NULL DEFAULT 0;
ALTER TABLE poll_answers RENAME COLUMN person_id TO voice;
ALTER TABLE poll_answers ADD COLUMN unit TEXT NOT NULL DEFAULT 'person';
ALTER TABLE poll_answers ADD COLUMN adds {int} NOT NULL DEFAULT 0;
CREATE INDEX poll_answers_of_voice ON poll_answers (voice, poll_id);
CREATE TABLE poll_voters (
    poll_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    PRIMARY KEY (poll_id, person_id)
);
