"""Reminders (おしらせ): the evening before and the hour before, as each person has chosen, in their own 窓口.

What is reminded of comes from sources that the assembly brings: this package knows neither gatherings nor bookings.
"""
