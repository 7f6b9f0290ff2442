-- How somebody wants to see the pages and to be told of news: the language (empty: the browser's), the size of the
-- letters (1 to 3), the quiet hours (minutes since midnight in Japan; equal ones: none), and what does not ring
-- (words with spaces between them).
CREATE TABLE looks (
    user_id TEXT PRIMARY KEY,
    language TEXT NOT NULL,
    letters INTEGER NOT NULL,
    quiet_from INTEGER NOT NULL,
    quiet_to INTEGER NOT NULL,
    muted TEXT NOT NULL
);

-- Papers that stand: where shelters are, whom to call, garbage, fees, rules. One row for each kind; text of people.
CREATE TABLE standing_papers (
    kind TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    revision INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    changed_ts {int} NOT NULL
);
