"""Good examples (よい例): what this year's officers recommend to the next ones, a circular or a gathering.

Doors call ``Examples``. It keeps a mark and a note in a table of its own; what is marked belongs to its own feature.
"""
