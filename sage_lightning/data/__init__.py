"""From files to batches: pair index, store, loaders, paired crops, and a simulated camera."""
