"""Inquiries (質問・相談): what a resident asks the officers in their own 窓口, or on paper and by telephone.

Doors call ``Inquiries``; the projection follows the rooms, and what is said on one side is carried to the other. What
others read in a 窓口 (safety answers, bookings) never becomes an inquiry.
"""
