"""Doors for browsers: the node's own pages for residents and officers, in plain Japanese and large letters.

``app.make_pages`` is called by the assembly at the first page that somebody asks for, so that a node which serves only
Matrix clients never loads templates. Pages call the same verbs as all other doors, as the user who is logged in; they
hold no policy, no SQL, and no page needs JavaScript.
"""
