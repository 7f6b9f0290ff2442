"""What we want of other servers: their rooms, what we missed of ours, and what must go out to them.

Implements the room core's ports; called by the assembly and by ``federation.serving``. It decides nothing about a
room: what comes back goes through the same checks as everything else.
"""
