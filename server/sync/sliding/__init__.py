"""Sliding sync (MSC4186): a device names the rooms it wants to see, by lists and by name, and hears of nothing else.

One engine behind two dialects, which read requests and write answers: ``deployed_dialect`` (what clients speak today)
and ``merged_dialect`` (what was accepted). Called by the doors of ``matrix_api.sliding_sync`` alone; what was told is
kept in memory and never written down (docs/decisions/0013).
"""
