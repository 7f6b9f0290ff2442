"""What all doors share: routes, reading JSON safely, who is calling, rate limits, refusals as Matrix JSON.

Paths under ``/_matrix``, ``/_synapse`` and ``/.well-known/matrix`` are found by ``routes.Doors``; they pass no
middleware of the web framework.
"""
