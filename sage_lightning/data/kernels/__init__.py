"""Crops on the CPU, one at a time, by compiled loops: what `resample` and `photometric` do in torch."""
