"""Who servers are: our keys, and (with the issue of federation) theirs, their addresses and signatures.

Doors of ``inbound`` and the client of ``outbound`` call it. It knows no rooms and opens no connection of its own.
"""
