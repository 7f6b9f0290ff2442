"""Application services (spec, "Application Service API"): bridges and bots that own a part of the names of this node.

What they may do is told by registration files of the operator; what concerns them is pushed to them in order. Only
the assembly loads this package, and only where such files are configured; doors find its verbs at one key of the web
application. Nothing here decides who may do what in a room: a ghost is a user like any other.
"""
