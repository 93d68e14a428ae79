"""All benchmarks, one after the other, each in a process of its own: `python -m benchmarks [NAME ...]`.

Options that follow `--` go to each of them, e.g. `python -m benchmarks -- --rounds 5`. Exits with 1 when
one failed; ends the benchmarks' servers.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from adtiger import embedded
from benchmarks.harness.product import HOME, ROOT

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which; all by default: {', '.join(NAMES)}")
    own, theirs = _split(sys.argv[1:])
    asked = parser.parse_args(own)
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    try:
        failed = [name for name in asked.names or NAMES if not _run(name, theirs)]
    finally:
        embedded.stop(HOME)
    if failed:
        print(f"\nFAILED: {', '.join(failed)}")
    return int(bool(failed))


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _run(name: str, options: list[str]) -> bool:
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
