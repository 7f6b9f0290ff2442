"""Neighbours share: public gatherings, facilities, hazard reports and a common board, by consent of both.

Assembly builds ``Sharing``; doors, commands and pages call its verbs. Everything goes through one federated room of two
nodes, and no name of a resident is ever said in it; what was not agreed is neither told nor taken.
"""
