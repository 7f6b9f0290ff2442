"""Groups (サークル・部会): what there is, asking to be let in, letting in, leaving, what a group keeps in its folder.

Called by doors. A group is its room: whoever is let in there in any Matrix client belongs to it. It knows no other
feature.
"""
