"""What carries messages between rooms and everything that speaks no Matrix: weather telegrams, mail, LINE, bulbs.

Each bridge is a folder of the same few files and reaches rooms only through ``bridges.contract`` and ``bridges.relay``.
It never imports another bridge, never writes SQL of a room, and a bridge that is down never holds up the node.
"""
