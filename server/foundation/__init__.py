"""What every part stands on: time, ids, errors, canonical JSON, signatures.

Anybody may import it. It imports nothing of ours, knows no database and no network.
"""
