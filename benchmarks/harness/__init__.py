"""What the benchmarks share: the product on servers of their own, interleaved rounds, tables."""
