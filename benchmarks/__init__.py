"""One file per question; `make bench` asks them all. What was measured stands in README.md."""

from benchmarks.harness import product as product  # sets Django up before a benchmark imports what needs it
