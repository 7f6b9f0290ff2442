-- Answers to gatherings that came on paper, by telephone or at the door stand beside those of the app, in one ledger:
-- of a person or of a household (with how many come), and who has written them down. The event_id of such an answer is
-- a number of ours.
ALTER TABLE gathering_answers ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
ALTER TABLE gathering_answers ADD COLUMN household_id TEXT NOT NULL DEFAULT '';
ALTER TABLE gathering_answers ADD COLUMN people {int} NOT NULL DEFAULT 1;
ALTER TABLE gathering_answers ADD COLUMN came_by TEXT NOT NULL DEFAULT 'app';
ALTER TABLE gathering_answers ADD COLUMN entered_by TEXT NOT NULL DEFAULT '';
CREATE INDEX gathering_answers_of_person ON gathering_answers (person_id);
CREATE INDEX gathering_answers_of_household ON gathering_answers (household_id);

-- Which households an officer has told by telephone or at the door that a gathering was called off. day_ms is the day
-- of a series, 0 for the whole; sequence as in called_off_told.
CREATE TABLE called_off_calls (
    gathering_id TEXT NOT NULL,
    day_ms {int} NOT NULL,
    sequence {int} NOT NULL,
    household_id TEXT NOT NULL,
    officer TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (gathering_id, day_ms, sequence, household_id)
);

-- The message that tells a room how many come; figures is what it says now.
CREATE TABLE gathering_figures (
    gathering_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    figures TEXT NOT NULL,
    PRIMARY KEY (gathering_id, room_id)
);
