"""Kairan (回覧): the node of one neighbourhood association.

Holds everything of one node but federation and bridges. ``assembly`` builds it, ``__main__`` is the command.
Doors call verbs, verbs walk the room core, nothing walks back (docs/architecture.md).
"""
