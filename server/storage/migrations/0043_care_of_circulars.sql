-- Days of a series that were called off, and why a gathering was.
ALTER TABLE gatherings ADD COLUMN called_off TEXT NOT NULL DEFAULT '[]';
ALTER TABLE gatherings ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- Who was told in their own 窓口 that a gathering to which they wanted to come was called off. day_ms is the day of a
-- series, 0 for the whole.
CREATE TABLE called_off_told (
    gathering_id TEXT NOT NULL,
    day_ms {int} NOT NULL,
    sequence {int} NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (gathering_id, day_ms, sequence, user_id)
);

-- Who was told once more of a circular, and when last.
CREATE TABLE circulars_again (
    circular_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (circular_id, person_id)
);

-- Circulars that wait for their time. fault says why one could not be sent round.
CREATE TABLE planned_circulars (
    id TEXT PRIMARY KEY,
    officer TEXT NOT NULL,
    letter TEXT NOT NULL,
    publish_ts {int} NOT NULL,
    fault TEXT NOT NULL,
    revision {int} NOT NULL
);

-- Circulars in other languages, as a translation service has put them; source is a digest of what was put.
CREATE TABLE translations (
    source TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (source, language)
);
