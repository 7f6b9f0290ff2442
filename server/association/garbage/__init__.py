"""Garbage days (ごみの日): what is fetched when in one's block, from the city's open data, with its exceptions.

Doors call ``Garbage``; what holds for a block is state of its room, an exception is a message there, and the calendar
follows. The city's own lists are only kept to choose from, and to look up what belongs where.
"""
