-- What has become of the node's keeping: backups, checks. One row for each kind of work, the last time it was done and
-- the last time it went well; words is what went wrong, for officers to read.
CREATE TABLE upkeep (
    work TEXT PRIMARY KEY,
    tried_ms {int} NOT NULL,
    done_ms {int},
    words TEXT NOT NULL
);

-- A node that was put back from a backup. Positions between lost_from and lost_until may have been given out by the
-- node that is lost, and stand for things that nobody knows here.
CREATE TABLE restorations (
    restored_ms {int} PRIMARY KEY,
    backup_ms {int} NOT NULL,
    lost_from {int} NOT NULL,
    lost_until {int} NOT NULL
);
