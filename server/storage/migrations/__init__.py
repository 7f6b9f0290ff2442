"""Numbered steps forward: ``0001_rooms.sql`` and so on, run once each, in order, never changed after a release.

``schema_version.py`` runs them. ``{bytes}`` stands for BLOB or BYTEA and ``{int}`` for INTEGER or BIGINT.
A table has one owner, the store that declares it with SQLAlchemy; a test holds both descriptions against each other.
"""
