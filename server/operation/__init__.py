"""Keeping a node: backup and restore, checks, export, moving house, watching.

The commands (``server/commands``) and the assembly call it, mostly in a process of its own beside the node that is
running. It never decides what happens in rooms, and next to nothing here is loaded when a node starts.
"""
