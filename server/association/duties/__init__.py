"""Duties (当番): what households of a block or a group do in turn, and whose turn it is.

Doors call ``Duties``. A duty is a message in the rooms of its audience, which names households by their ids only; the
table follows. Whose turn it is follows from the order, without a row for each turn.
"""
