-- Notices of this node that everybody may read without an account, in its public feeds. changed_ts: of the newest
-- revision, or when it was made public.
CREATE TABLE public_notices (
    key TEXT PRIMARY KEY,
    changed_ts {int} NOT NULL
);
