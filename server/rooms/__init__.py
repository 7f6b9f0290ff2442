"""The room core: what an event is, who may do what, and the one way by which an event enters a room.

Doors and association features call its verbs. It never imports them, and knows of other servers only what
``ports.py`` says.
"""
