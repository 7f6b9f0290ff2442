-- Browsers that are logged in on the node's own pages. The cookie itself is nowhere on disk, only its SHA-256.
-- password_mark: what the password was at login; another password ends the session.
CREATE TABLE web_sessions (
    hash {bytes} PRIMARY KEY,
    user_id TEXT NOT NULL,
    password_mark {bytes} NOT NULL,
    created_ts {int} NOT NULL,
    seen_ts {int} NOT NULL
);
CREATE INDEX web_sessions_of_user ON web_sessions (user_id);
