"""One file per question; `make bench` asks them all. What was measured stands in README.md."""
