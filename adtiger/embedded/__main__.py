"""`python -m adtiger.embedded start|stop|status`: the embedded servers by hand."""

import argparse
import sys
from pathlib import Path

from adtiger import embedded

_HOME = Path(__file__).resolve().parents[2] / ".adtiger"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m adtiger.embedded", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--home", type=Path, default=_HOME, help="the folder of their data (%(default)s)")
    arguments = parser.parse_args()
    try:
        if arguments.action == "start":
            embedded.database_url(arguments.home)
            embedded.redis_url(arguments.home)
        elif arguments.action == "stop":
            embedded.stop(arguments.home)
    except embedded.EmbeddedError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    for name, url in embedded.status(arguments.home)._asdict().items():
        sys.stdout.write(f"{name.upper()}={url or ''}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
