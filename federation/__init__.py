"""The node among other Matrix servers: who they are, what they send us, what we send them.

It is a door like the others and calls the verbs of ``server.rooms``; the room core sees it only through
``server.rooms.ports``. It never decides what may enter a room, and never waits for the network under a room's lock.
"""
