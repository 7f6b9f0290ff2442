"""Broadcasts: one notice of a city or a federation of associations for many associations, signed by whoever wrote it.

Assembly builds ``Sending``, ``Receiving``, ``Desk`` and ``Proofs``; commands and pages call their verbs. Notices go
over the rooms of ``links``; what figures come back is for ``figures``, and no name of a resident is ever read here.
"""
