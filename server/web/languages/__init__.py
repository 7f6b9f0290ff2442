"""The languages of the pages: Japanese stands in the templates, other languages in catalogues beside this file.

Called by ``server.web`` only. It never knows who is asking, and never translates what people wrote.
"""
