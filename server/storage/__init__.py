"""The database: one writer with group commit, readers beside it, numbered migrations.

Stores (``*store.py``) use it; nobody else writes SQL. It knows tables only through the stores that own them and
never calls upward: what must follow a commit is handed to it as a callback.
"""
