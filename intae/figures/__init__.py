"""Figures: each function takes tables or fits and returns a matplotlib figure."""
