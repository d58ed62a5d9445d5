"""What the benchmarks share: a clock, the machine in words, made-up stores, results as JSON."""
