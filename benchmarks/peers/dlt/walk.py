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
            "resources": [
                {
                    "name": name,
                    "endpoint": {
                        "path": EDGES[name],
                        "params": _params(name, fields),
                        "data_selector": "data",
                    },
                }
                for name, fields in json.loads(os.environ["PEER_FIELDS"]).items()
            ],
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


def _params(name: str, fields: str) -> dict[str, object]:
    statuses = json.loads(os.environ["PEER_STATUSES"])[name]  # or it would not see archived and deleted ones
    return {"fields": _literal(fields), "limit": 500, "effective_status": json.dumps(statuses)}


def _literal(text: str) -> str:
    """dlt takes braces for an expression of its own."""
    return text.replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    main()
