"""Safety checks (安否確認), real or drill: everybody is asked in their own 窓口, the officers see who has not answered.

Doors call ``SafetyChecks`` (verbs) and ``SafetyDesk`` (what officers and residents see); the projection follows the
rooms. Reading never counts as an answer here, and only figures, never names, are said in a room.
"""
