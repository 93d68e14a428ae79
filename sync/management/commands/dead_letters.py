"""Syncs that failed for good: why, and what to do about them."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from sync.ledger.dead_letters import by_cause, resolve
from sync.ledger.replay import PER_MINUTE, replay_many
from sync.management.command import AdTigerCommand, WrongUse, count
from sync.management.letters import add_letters, check, chosen_letters, describe_cause, describe_letter
from sync.management.lookup import find_run
from sync.management.operator import add_reason, operator
from sync.management.output import add_json, plain, print_json, print_table
from sync.management.story import ATTEMPT, INTERVENTION, attempts, interventions

CAUSE = ("number", "category", "code", "platform_code", "accounts", "newest", "example", "message")
LETTER = ("id", "finished_at", "account", "connection", "code", "platform_code", "trace_id", "message")
NONE = "No dead letter fits."


class Command(AdTigerCommand):
    help = (
        "Show the syncs that failed for good, by cause (the default) or as a list; show some with their "
        "attempts; replay them: the same run starts again, with all its attempts; or resolve them: they stay "
        "in the history, but are counted no more. Many are replayed at a pace, the accounts by turns. Where "
        "an open sync of the ad account does the same work, that one answers for the dead letter."
    )
    examples = (
        "dead_letters",
        "dead_letters list --cause access_denied --since 24",
        "dead_letters show 01a20dc0-ac9d-749e-b664-577b0df47475",
        "dead_letters replay 01a20dc0-ac9d-749e-b664-577b0df47475",
        'dead_letters replay --cause NETWORK_ERROR --provider meta --pace 30 --reason "Meta is back"',
        'dead_letters resolve --account Acme --cause 190/463 --reason "the shop was sold"',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = ("causes", "list", "show", "replay", "resolve")
        parser.add_argument("action", nargs="?", choices=actions, default="causes")
        add_letters(parser)
        parser.add_argument(
            "--pace", type=count, metavar="N", help=f"replay N a minute of each provider ({PER_MINUTE})"
        )
        parser.add_argument("--limit", type=count, default=20, help="how many are listed (default 20)")
        add_reason(parser)
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        check(options)
        if options["pace"] and options["action"] != "replay":
            raise WrongUse("--pace is for replay only.")
        actions = {"causes": self._causes, "list": self._list, "show": self._show}
        actions |= {"replay": self._replay, "resolve": self._resolve}
        actions[options["action"]](options)

    def _causes(self, options: dict[str, Any]) -> None:
        causes = [describe_cause(cause) for cause in by_cause(chosen_letters(options))]
        total = sum(cause["number"] for cause in causes)
        if options["json"]:
            print_json(self, {"total": total, "causes": causes})
        else:
            self._table(f"Dead letters: {total}", CAUSE, causes, none=NONE)

    def _list(self, options: dict[str, Any]) -> None:
        newest = chosen_letters(options).dead_letters().order_by("-finished_at")
        runs = newest.select_related("account", "connection")[: options["limit"]]
        letters = [describe_letter(run) for run in runs]
        if options["json"]:
            print_json(self, {"dead_letters": letters})
        else:
            self._table("Newest dead letters", LETTER, letters, none=NONE)

    def _show(self, options: dict[str, Any]) -> None:
        stories = []
        for run in [find_run(name, "id") for name in options["ids"]]:
            now = {"state": run.state, "resolved_at": run.resolved_at}
            told = {"attempts": attempts(run), "interventions": interventions(run)}
            stories.append({**describe_letter(run), **now, **told})
        if options["json"]:
            print_json(self, {"dead_letters": stories})
            return
        for story in stories:
            for name, value in story.items():
                if not isinstance(value, list):
                    self.stdout.write(plain(f"{name:>15}  {'' if value is None else value}"))
            self._table("Attempts", ATTEMPT, story["attempts"], none="It never started.")
            self._table(
                "Interventions", INTERVENTION, story["interventions"], none="Nobody did anything to it."
            )

    def _replay(self, options: dict[str, Any]) -> None:
        pace = options["pace"] or PER_MINUTE
        runs, by = chosen_letters(options), operator()
        done = replay_many(runs, by=by, reason=options["reason"], per_minute=pace)
        if options["json"]:
            sent = [{"id": str(run.pk), "due_at": run.available_at} for run in done.sent]
            joined = [{"id": str(one.run.pk), "answered_by": str(one.joined)} for one in done.joined]
            print_json(self, {"sent": sent, "joined": joined, "last_at": done.last_at})
            return
        if not done.sent and not done.joined:
            self.stdout.write(NONE)
        if len(done.sent) == 1:
            self.stdout.write(f"Sent back: {done.sent[0].pk} is in the queue.")
        elif done.sent:
            until = f"the last is due at {done.last_at:%Y-%m-%d %H:%M:%S} UTC"
            self.stdout.write(f"Sent back {len(done.sent)}, {pace} a minute of each provider: {until}.")
        for one in done.joined:
            self.stdout.write(f"Answered by an open sync: {one.run.pk} by {one.joined}.")

    def _resolve(self, options: dict[str, Any]) -> None:
        resolved = resolve(chosen_letters(options), by=operator(), reason=options["reason"])
        if options["json"]:
            print_json(self, {"resolved": [str(run.pk) for run in resolved]})
        else:
            self.stdout.write(f"Resolved {len(resolved)}." if resolved else NONE)

    def _table(self, title: str, columns: Sequence[str], rows: list[dict[str, Any]], *, none: str) -> None:
        if not rows:
            self.stdout.write(none)
            return
        titles = ["id" if column == "example" else column.replace("_", " ") for column in columns]
        print_table(self, title, titles, ([row[column] for column in columns] for row in rows))
