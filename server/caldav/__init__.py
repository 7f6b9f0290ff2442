"""CalDAV: the door that calendar apps come through (RFC 4791, 6578, 6764, 5397, 3744).

One file per method and per report; ``app.make_caldav_app`` is the only entry. Not imported before the first request
to ``/dav/`` or ``/.well-known/caldav``.
"""
