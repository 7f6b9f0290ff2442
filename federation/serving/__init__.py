"""What we are for other servers: everything that talks to them, together, and the verbs behind their doors.

Called by the doors of ``federation.inbound`` and by the assembly. It knows no HTTP.
"""
