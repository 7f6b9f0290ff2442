"""Hazard reports (危険の知らせ): residents say what is dangerous and where, officers say that they have seen to it.

Pages call the verbs of ``Hazards``. A report is the resident's own message in the board, so any client can read it, and
what is in tables can be built again from the rooms. It never decides what a neighbour association sees of it.
"""
