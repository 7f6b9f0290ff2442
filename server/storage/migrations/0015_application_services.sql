-- Application services: up to which stream position each has been told, and the transaction that may be on its way:
-- its id and the position up to which it tells. An empty txn: none is.
CREATE TABLE application_services (
    id TEXT PRIMARY KEY,
    position {int} NOT NULL,
    txn TEXT NOT NULL,
    until {int} NOT NULL
);

-- The rooms that application services publish in lists of their own.
CREATE TABLE application_service_rooms (
    service TEXT NOT NULL,
    network TEXT NOT NULL,
    room_id TEXT NOT NULL,
    PRIMARY KEY (service, network, room_id)
);
