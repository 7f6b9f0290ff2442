"""Files: kept, opened, made small for lists, deleted. Knows no HTTP and no rooms.

Content lies in ``data_dir/media``, what is known about it in the table ``media``. A file's place on disk is made from
its id, and an id is always one that this node drew itself and found in its table: never a path from outside.
"""
