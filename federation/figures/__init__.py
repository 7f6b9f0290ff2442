"""Figures that go up: how many a notice has reached, and how they have answered. Never a name, never a single person.

Assembly builds ``Reporting`` (counts and sends), ``Hearing`` (checks and keeps) and ``Tables`` (sums per level). Small
figures are hidden by the association itself, before anything leaves it.
"""
