-- Finding people: who is in which room, and in which words they can be found there.
CREATE TABLE user_directory (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    words TEXT NOT NULL,
    display_name TEXT,
    avatar_url TEXT,
    PRIMARY KEY (room_id, user_id)
);
-- Whether everybody may find the members of a room. Empty: the room must still be read, at the next search.
CREATE TABLE user_directory_rooms (
    room_id TEXT PRIMARY KEY,
    open {int}
);
INSERT INTO user_directory_rooms SELECT room_id, NULL FROM rooms;
