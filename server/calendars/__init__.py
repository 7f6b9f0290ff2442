"""Calendars: collections, items, recurrence, and the app passwords that calendar apps log in with.

Knows iCalendar, knows no HTTP and no XML. A collection is served by a backend (``ports.CalendarBackend``): items kept
in tables (``stored``), or a projection of what happens in rooms (``gatherings``). Nothing in here is imported before
the first request of a calendar app, to keep the node's start quick.
"""
