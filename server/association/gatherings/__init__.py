"""Gatherings (集まり): meetings, festivals, clean-ups, with a start, an end, a place and an audience.

Doors call the verbs; the calendars see the same gatherings through ``calendar.py``. A gathering lives as events in
rooms, and its table never says anything that those events do not say.
"""
