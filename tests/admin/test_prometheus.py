"""The metrics, and that what is deployed with them names them rightly."""

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def samples(site: Any) -> dict[str, list[Any]]:
    answer = site.viewer.get("/metrics")
    assert answer.status_code == 200
    found: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_the_numbers_are_those_of_what_happened(site: Any) -> None:
    site.settle()
    site.edge_client.shop.orders.insert_many([{"_id": n} for n in range(3)])
    site.settle()
    site.edge_client.shop.command({"find": "orders"})
    site.edge.replicator.link.metrics.add("transactions_split", 2)
    found = samples(site)

    def value(name: str, **labels: str) -> float:
        return next(each.value for each in found[name] if labels.items() <= each.labels.items())

    assert value("skerry_operations_total", command="insert") == 1
    assert value("skerry_operation_seconds_count", command="insert") == 1
    assert value("skerry_operation_seconds_bucket", command="insert", le="+Inf") == 1
    assert value("skerry_documents") >= 3
    assert value("skerry_connections_open") >= 1
    assert value("sync_pushed_documents_total", link="hub") == 3
    assert value("sync_transactions_split_total", link="hub") == 2
    assert value("sync_push_seconds_count", link="hub") >= 1
    assert value("sync_stream_open") == 1
    assert value("sync_state", state="streaming") == 1
    assert value("sync_state", state="offline") == 0
    assert value("sync_dirty_documents") == 0
    assert value("sync_snapshot_progress_ratio") == 1
    assert "sync_verify_mismatches" not in found


def test_a_failed_command_is_counted_as_one(site: Any) -> None:
    site.edge_client.shop.command({"ping": 1})
    site.edge_client.shop.command({"find": "x", "unheardOf": 1}, check=False)
    failed = {each.labels["command"]: each.value for each in samples(site)["skerry_operations_failed_total"]}
    assert failed["find"] == 1
    assert failed["ping"] == 0


def test_what_waits_has_an_age_and_a_size(site: Any) -> None:
    site.settle()
    site.operator.post("/api/sync/pause")
    site.edge_client.shop.orders.insert_one({"_id": 1, "text": "x" * 1000})
    found = samples(site)
    assert found["sync_dirty_documents"][0].value == 1
    assert 1000 < found["sync_dirty_bytes"][0].value < 1200
    assert found["sync_push_oldest_dirty_seconds"][0].value >= 0


def test_alerts_and_dashboard_name_only_metrics_that_there_are(site: Any) -> None:
    site.settle()
    site.api.verifies._last_differences = 0
    known = set(samples(site))
    texts = [(DEPLOY / "prometheus-alerts.yml").read_text("utf-8")]
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    texts += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(texts) > 8
    for text in texts:
        for name in re.findall(r"\b(?:sync|skerry)_\w+", re.sub(r"#.*", "", text)):
            assert name in known, name


def test_every_metric_has_a_line_in_the_guide(site: Any) -> None:
    site.settle()
    site.api.verifies._last_differences = 0
    guide = (ROOT / "docs" / "admin.md").read_text("utf-8")
    for family in text_string_to_metric_families(site.viewer.get("/metrics").text):
        assert f"`{family.name}" in guide, family.name


def test_every_route_has_a_line_in_the_guide(site: Any) -> None:
    guide = (ROOT / "docs" / "admin.md").read_text("utf-8")
    for path, methods in site.viewer.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in guide, f"{method} {path}"
