"""`python -m adtiger.up.inside MODULE …`: run a module of this package that needs Django.

The supervisor itself stays without Django, so that it outlives whatever is wrong inside.
"""

import importlib
import sys

import django


def main() -> int:
    try:
        django.setup()
        module = importlib.import_module(f"adtiger.up.{sys.argv[1]}")
        return int(module.main(sys.argv[2:]))
    except KeyboardInterrupt:
        return 130  # what a shell says for Ctrl-C


if __name__ == "__main__":
    sys.exit(main())
