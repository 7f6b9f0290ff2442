"""Sliding sync (MSC4186): a device names the rooms it wants to see, by lists and by name, and hears of nothing else.

One engine. How the deployed dialect (``org.matrix.simplified_msc3575``) is written stands in ``deployed_dialect``.
"""
