"""The Matrix doors: one file per endpoint group of the client-server API. A door knows who, what, one verb, answer."""
