"""Who is told of what: push rules judged at the moment an event enters, and the unread counts that follow.

Works as a projection of room events and a listener of receipts. It sends nothing itself: pushes are outbox rows.
"""
