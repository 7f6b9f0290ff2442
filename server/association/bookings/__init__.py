"""Bookings (予約): the hall, the tents, the car that fetches people; who has them when.

Doors call the verbs; a calendar app, a page and a line in one's 窓口 lead to the same verb, so that nothing is given
twice. Facilities are state of the space, bookings messages in the 窓口 of whoever has them, because where somebody is
driven to is nobody else's business; the tables never say anything that those events do not say.
"""
