"""Run the imitation of both platforms, or act on the one that the settings point at."""

import os
import sys
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.management.output import print_json

TIMEOUT = 30  # seconds; large accounts are made at their first use


class Command(BaseCommand):
    help = (
        "Run the sandbox, which imitates Meta and Google Ads, or act on the running one. "
        "Examples: `sandbox --port 8090`, `sandbox --accounts`, "
        "`sandbox --edit 5 --provider meta --external-id act_123`, `sandbox --calls`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="run: port to listen on; 0 takes a free one")
        parser.add_argument("--seed", type=int, default=7, help="run: the same seed gives the same accounts")
        parser.add_argument(
            "--accounts", action="store_true", help="list the ad accounts of the running sandbox"
        )
        parser.add_argument("--calls", action="store_true", help="show the calls that it counted")
        parser.add_argument("--edit", type=int, metavar="N", help="make N random edits in an ad account")
        parser.add_argument("--provider", choices=["meta", "google"], help="edit: where")
        parser.add_argument("--external-id", help="edit: in which ad account")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["accounts"] or options["calls"]:
            print_json(self, self._ask("GET", "accounts" if options["accounts"] else "calls"))
        elif options["edit"] is not None:
            self._edit(options["edit"], options["provider"], options["external_id"])
        else:
            command = [sys.executable, "-m", "providers.sandbox", "--port", str(options["port"])]
            os.execv(sys.executable, [*command, "--seed", str(options["seed"])])  # noqa: S606  (our own module)

    def _edit(self, count: int, provider: str | None, external_id: str | None) -> None:
        if not provider or not external_id:
            raise CommandError("--edit needs --provider and --external-id.")
        body = {"platform": provider, "account": external_id, "count": count}
        print_json(self, self._ask("POST", "random-edits", json=body))

    def _ask(self, method: str, action: str, **request: Any) -> Any:
        parts = urlsplit(settings.META_GRAPH_URL)
        try:
            answer = requests.request(
                method, f"{parts.scheme}://{parts.netloc}/control/{action}", timeout=TIMEOUT, **request
            )
            body = answer.json()
        except requests.RequestException:
            raise CommandError(
                f"No sandbox answers at {parts.netloc}. Start one (`make up`, or `sandbox --port 8090`) "
                "and set META_GRAPH_URL to its address."
            ) from None
        if not answer.ok:
            raise CommandError(f"The sandbox refused: {body.get('error')}")
        return body
