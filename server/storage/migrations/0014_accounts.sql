-- Access tokens that end, and the tokens that renew them. A token is nowhere on disk, only its SHA-256.
-- fresh: given out by a renewal and not used yet; its first use ends the tokens that it came from.
ALTER TABLE access_tokens ADD COLUMN expires_ts {int};
ALTER TABLE access_tokens ADD COLUMN refresh_hash {bytes};
ALTER TABLE access_tokens ADD COLUMN fresh {int} NOT NULL DEFAULT 0;
CREATE TABLE refresh_tokens (
    hash {bytes} PRIMARY KEY,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    expires_ts {int},
    fresh {int} NOT NULL
);
CREATE INDEX refresh_tokens_of_device ON refresh_tokens (user_id, device_id);

-- When and from where a device was last here; right to some minutes.
ALTER TABLE devices ADD COLUMN last_seen_ts {int};
ALTER TABLE devices ADD COLUMN last_seen_ip TEXT;

-- What an admin has decided about an account, and whether its owner has asked to be forgotten.
ALTER TABLE users ADD COLUMN locked {int} NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN suspended {int} NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN erased {int} NOT NULL DEFAULT 0;

-- Which version of which of the association's texts somebody has agreed to, and when.
CREATE TABLE consents (
    user_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    version TEXT NOT NULL,
    accepted_ts {int} NOT NULL,
    PRIMARY KEY (user_id, policy, version)
);

-- A device that takes keys while all others of its owner are away (MSC3814); one for each user.
CREATE TABLE dehydrated_devices (
    user_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL,
    device_data {bytes} NOT NULL
);
