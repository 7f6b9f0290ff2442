-- What residents ask the officers (server/association/inquiries). The state and who looks after it are kept by the
-- officers; what was said follows from the rooms, but for questions on paper and by telephone.
CREATE TABLE inquiries (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL,
    asker TEXT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    opened_ts {int} NOT NULL,
    asked_ts {int} NOT NULL,
    changed_ts {int} NOT NULL,
    revision {int} NOT NULL,
    thread TEXT NOT NULL
);

-- told is the event that has brought a line to the other side; empty as long as that is still to be done. gone is 1
-- for a line that was taken back, and 2 when its copy is, too.
CREATE TABLE inquiry_lines (
    id TEXT PRIMARY KEY,
    inquiry_id TEXT NOT NULL,
    place {int} NOT NULL,
    side TEXT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    ts {int} NOT NULL,
    room TEXT NOT NULL,
    photo TEXT NOT NULL,
    gone {int} NOT NULL,
    told TEXT NOT NULL
);
CREATE INDEX inquiry_lines_of_inquiry ON inquiry_lines (inquiry_id, place);
CREATE INDEX inquiry_lines_untold ON inquiry_lines (told);
CREATE INDEX inquiry_lines_gone ON inquiry_lines (gone);
