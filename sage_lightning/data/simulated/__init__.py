"""A simulated Sage camera: files in the real formats, drawn from a known truth."""
