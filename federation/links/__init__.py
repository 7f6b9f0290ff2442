"""Linking: who belongs to whom among the nodes of a city, of its federations of associations and of associations.

Assembly builds ``Linking``; doors, commands and pages call its verbs. What goes over a link is for ``broadcasts`` and
``figures``; nothing here looks at residents or circulars, and no table of theirs is read.
"""
