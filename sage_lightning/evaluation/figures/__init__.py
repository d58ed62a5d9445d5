"""Figures of an evaluation: functions from arrays to a matplotlib Figure, in one style."""
