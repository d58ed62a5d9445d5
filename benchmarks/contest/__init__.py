"""Two contestants that learn from one collection in equal time: ours, and what one assembles from Lightly."""
