"""The options that all benchmarks have."""

import argparse


def options(description: str | None, **sizes: tuple[int, int]) -> argparse.Namespace:
    """`--rounds`, `--smallest`, and an option per size: its default, and what it is at the smallest."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (%(default)s)")
    parser.add_argument("--smallest", action="store_true", help="one round, as small as can be: a smoke test")
    for name, (default, _) in sizes.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help="(%(default)s)")
    asked = parser.parse_args()
    if asked.smallest:
        vars(asked).update({name: smallest for name, (_, smallest) in sizes.items()}, rounds=1)
    return asked
