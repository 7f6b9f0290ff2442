"""People and what belongs to them: users, devices, tokens, profiles, account data, end-to-end keys, push rules.

``accounts.Accounts`` holds all of it together; nothing here knows rooms or HTTP.
"""
