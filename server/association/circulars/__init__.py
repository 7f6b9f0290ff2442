"""Circulars (回覧): what an officer says to an audience, readable in any client, followed until everybody has it.

Doors call ``Circulars`` (verbs) and ``CircularReader`` (lists, search, who has read it); the projection follows the
rooms. Seen, opened and acknowledged are three things here, and none of them is ever taken for another.
"""
