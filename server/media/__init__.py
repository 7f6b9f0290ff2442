"""Files: kept, opened, made small for lists, deleted; copies of other servers' files. Knows no HTTP and no rooms.

Content lies in ``data_dir/media``, what is known about it in the tables ``media`` and ``remote_media``. A file's place
on disk is made from its id, and that is always one that this node drew itself and found in its table: never a path
from outside.
"""
