"""One module a group of pages; each has ``add_routes``. Called by ``app.make_pages`` only. A page knows no other page.
"""
