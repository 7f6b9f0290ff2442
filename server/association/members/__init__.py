"""Who belongs to the association: households (世帯), persons, blocks (班), groups, officers; and its rooms.

Every feature of the association and every door may call it; it is the only feature that the others may import.
Personal data are here in tables only, so that they can be corrected and erased: it never writes them into a room.
"""
