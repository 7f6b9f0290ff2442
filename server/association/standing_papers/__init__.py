"""Papers that stand: where the shelters are, whom to call, garbage, fees, rules; kept on telephones for bad days.

Called by doors. It says nothing in rooms and knows no other feature: a paper that everybody must read is a circular.
"""
