-- What we know of other servers.

-- Their signing keys. expired_ts: the key is an old one, and signed nothing after this moment.
CREATE TABLE server_keys (
    server TEXT NOT NULL,
    key_id TEXT NOT NULL,
    public {bytes} NOT NULL,
    valid_until_ts {int} NOT NULL,
    expired_ts {int},
    PRIMARY KEY (server, key_id)
);

-- What a server has published of its keys and signed itself, as it came: for others who ask us for it.
CREATE TABLE published_keys (
    server TEXT PRIMARY KEY,
    json {bytes} NOT NULL,
    valid_until_ts {int} NOT NULL
);

-- What must leave the node, in order, per destination. Of an event only its id; everything else whole.
CREATE TABLE outbox (
    position {int} NOT NULL,
    destination TEXT NOT NULL,
    urgent {int} NOT NULL,
    event_id TEXT,
    json {bytes},
    PRIMARY KEY (destination, position)
);

-- Destinations that did not answer lately.
CREATE TABLE destinations (
    destination TEXT PRIMARY KEY,
    failing_since_ts {int} NOT NULL,
    retry_ts {int} NOT NULL,
    pause_ms {int} NOT NULL
);
