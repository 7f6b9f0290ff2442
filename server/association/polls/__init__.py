"""Polls (アンケート・出欠): one question in the rooms of its audience, answered natively, by a reaction or a number.

Doors call ``Polls`` (verbs and results); the projection follows the rooms and counts the last answer of each person.
It is never used for a secret ballot: in a room everybody sees how everybody votes.
"""
