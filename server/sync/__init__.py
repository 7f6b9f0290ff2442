"""What a client gets of what has happened: ``/sync``, its positions, filters, and waking those who wait.

Doors call ``Sync.answer``. It reads rooms, receipts and accounts, and changes none of them.
"""
