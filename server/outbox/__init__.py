"""What must leave the node: rows that are written with what they tell of, and delivered until they have arrived.

It knows no rooms and no network: ``rooms`` and others put in, ``federation.outbound`` takes out.
"""
