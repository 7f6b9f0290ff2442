-- People, their devices and what clients keep for them.
CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    password TEXT,
    created_ts {int} NOT NULL,
    admin {int} NOT NULL,
    guest {int} NOT NULL,
    deactivated {int} NOT NULL
);
CREATE TABLE profile_fields (
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value {bytes} NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE TABLE devices (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    display_name TEXT,
    created_ts {int} NOT NULL,
    PRIMARY KEY (user_id, device_id)
);
-- A token itself is nowhere on disk, only its SHA-256.
CREATE TABLE access_tokens (
    hash {bytes} PRIMARY KEY,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    created_ts {int} NOT NULL
);
CREATE INDEX access_tokens_of_device ON access_tokens (user_id, device_id);
CREATE TABLE registration_tokens (
    token TEXT PRIMARY KEY,
    uses_allowed {int},
    used {int} NOT NULL,
    expires_ts {int}
);

-- room_id is empty for what belongs to no room.
CREATE TABLE account_data (
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    type TEXT NOT NULL,
    content {bytes} NOT NULL,
    stream {int} NOT NULL,
    PRIMARY KEY (user_id, room_id, type)
);
CREATE INDEX account_data_by_stream ON account_data (user_id, stream);
CREATE TABLE filters (
    user_id TEXT NOT NULL,
    filter_id {int} NOT NULL,
    json {bytes} NOT NULL,
    PRIMARY KEY (user_id, filter_id)
);

-- End-to-end encryption: public keys only, and messages that the node cannot read.
CREATE TABLE device_keys (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    json {bytes} NOT NULL,
    PRIMARY KEY (user_id, device_id)
);
CREATE TABLE one_time_keys (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    number {int} NOT NULL,
    json {bytes} NOT NULL,
    PRIMARY KEY (user_id, device_id, algorithm, key_id)
);
CREATE INDEX one_time_keys_in_order ON one_time_keys (user_id, device_id, algorithm, number);
CREATE TABLE fallback_keys (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    json {bytes} NOT NULL,
    used {int} NOT NULL,
    PRIMARY KEY (user_id, device_id, algorithm)
);
CREATE TABLE cross_signing_keys (
    user_id TEXT NOT NULL,
    usage TEXT NOT NULL,
    json {bytes} NOT NULL,
    PRIMARY KEY (user_id, usage)
);
-- Signatures that came after the key; target is a device id or a public key of target_user.
CREATE TABLE key_signatures (
    target_user TEXT NOT NULL,
    target TEXT NOT NULL,
    signer TEXT NOT NULL,
    signer_key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (target_user, target, signer, signer_key)
);
CREATE TABLE device_list_changes (
    user_id TEXT PRIMARY KEY,
    stream {int} NOT NULL
);
CREATE INDEX device_list_changes_by_stream ON device_list_changes (stream);
CREATE TABLE to_device_messages (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    stream {int} NOT NULL,
    sender TEXT NOT NULL,
    type TEXT NOT NULL,
    content {bytes} NOT NULL,
    PRIMARY KEY (user_id, device_id, stream)
);
CREATE TABLE to_device_transactions (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    txn_id TEXT NOT NULL,
    ts {int} NOT NULL,
    PRIMARY KEY (user_id, device_id, txn_id)
);
CREATE INDEX to_device_transactions_by_age ON to_device_transactions (ts);

-- Key backup (spec, "Server-side key backups").
CREATE TABLE key_backups (
    user_id TEXT NOT NULL,
    version {int} NOT NULL,
    algorithm TEXT NOT NULL,
    auth_data {bytes} NOT NULL,
    etag {int} NOT NULL,
    deleted {int} NOT NULL,
    PRIMARY KEY (user_id, version)
);
CREATE TABLE backed_up_keys (
    user_id TEXT NOT NULL,
    version {int} NOT NULL,
    room_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    first_message_index {int} NOT NULL,
    forwarded_count {int} NOT NULL,
    is_verified {int} NOT NULL,
    session_data {bytes} NOT NULL,
    PRIMARY KEY (user_id, version, room_id, session_id)
);
