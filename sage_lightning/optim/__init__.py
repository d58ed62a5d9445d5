"""LARS, schedules by optimiser step, parameter groups."""
