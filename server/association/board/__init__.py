"""The board (掲示板): what neighbours tell and ask each other, give away, and how officers look after it.

Called by doors; it speaks in the board's room, where any Matrix client reads and answers. It knows no other feature,
and never puts the name of a person into a room.
"""
