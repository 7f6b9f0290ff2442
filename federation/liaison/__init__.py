"""Liaison rooms (連絡室): the officers of two linked nodes talk, and every question has a state until it is answered.

Assembly builds ``LiaisonRooms`` and ``Cases``; pages call the verbs of the latter. All of it stands in a room that any
Matrix client shows as a chat; there is no table, and no resident is in that room.
"""
