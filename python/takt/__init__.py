"""Takt's Python side: the demo, the benchmarks and what tests share."""
