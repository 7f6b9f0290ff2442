-- Devices of people of other servers, and what other servers were told of ours.

-- Of each of our users: the number of what others were told last, and the change that it reaches up to.
CREATE TABLE told_device_lists (
    user_id TEXT PRIMARY KEY,
    stream_id {int} NOT NULL,
    change_stream {int} NOT NULL
);

-- A digest of what they were told of each device; of the cross-signing keys under an empty device id.
CREATE TABLE told_devices (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

-- Lists of other servers' users that are kept here (their keys stand in device_keys), and whether one is outdated.
CREATE TABLE far_device_lists (
    user_id TEXT PRIMARY KEY,
    stream_id {int} NOT NULL,
    stale {int} NOT NULL
);
