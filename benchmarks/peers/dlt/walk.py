"""dlt's rest_api source against the sandbox, merged by id, nothing nested; in an environment of its own."""

import json
import os

import dlt
from dlt.sources.rest_api import rest_api_source

EDGES = {"campaigns": "campaigns", "ad_groups": "adsets", "ads": "ads"}


def main() -> None:
    base = f"{os.environ['PEER_URL']}/meta/v26.0/act_{os.environ['PEER_ACCOUNT']}/"
    source = rest_api_source(
        {
            "client": {
                "base_url": base,
                "auth": {"type": "bearer", "token": os.environ["PEER_TOKEN"]},
                "paginator": {"type": "json_link", "next_url_path": "paging.next"},
            },
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [_metrics()] if "PEER_METRICS_SINCE" in os.environ else _entities(),
        },
        max_table_nesting=0,
    )
    pipeline = dlt.pipeline(
        pipeline_name="peer",
        pipelines_dir=os.environ["PEER_HOME"],
        destination=dlt.destinations.postgres(os.environ["PEER_DSN"]),
        dataset_name="peer_dlt",
    )
    pipeline.run(source)


def _entities() -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "endpoint": {"path": EDGES[name], "params": _params(name, fields), "data_selector": "data"},
        }
        for name, fields in json.loads(os.environ["PEER_FIELDS"]).items()
    ]


def _metrics() -> dict[str, object]:
    """Daily metrics of ads, asked for at once: it knows no reports."""
    days = {"since": os.environ["PEER_METRICS_SINCE"], "until": os.environ["PEER_METRICS_UNTIL"]}
    statuses = json.loads(os.environ["PEER_STATUSES"])["ads"]
    shown = [{"field": "ad.effective_status", "operator": "IN", "value": statuses}]
    params = {
        "level": "ad",
        "fields": _literal(os.environ["PEER_METRICS_FIELDS"]),
        "time_increment": "1",
        "time_range": _literal(json.dumps(days)),
        "filtering": _literal(json.dumps(shown)),
        "limit": 500,
    }
    return {
        "name": "insights",
        "primary_key": ["ad_id", "date_start"],
        "endpoint": {"path": "insights", "params": params, "data_selector": "data"},
    }


def _params(name: str, fields: str) -> dict[str, object]:
    statuses = json.loads(os.environ["PEER_STATUSES"])[name]  # or it would not see archived and deleted ones
    return {"fields": _literal(fields), "limit": 500, "effective_status": json.dumps(statuses)}


def _literal(text: str) -> str:
    """dlt takes braces for an expression of its own."""
    return text.replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    main()
