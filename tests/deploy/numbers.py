"""Checks of the alerts and of the board: what they ask for is what we tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from deploy.kit import ROOT, Complaint, Kit, needed, ran

__all__ = ["CHECKS", "alerts", "expressions", "metrics"]

_SUFFIXES = ("_bucket", "_sum", "_count")
_LABELS = {"instance", "job", "le", "alertname", "alertstate"}


@cache
def metrics() -> dict[str, set[str]]:
    """Return every metric with its labels, as docs/watching.md lists them; a test holds it to the code."""
    page = (ROOT / "docs/watching.md").read_text("utf-8")
    rows = re.findall(r"^\| (`ferryman_.*?) \| (?:counter|gauge|histogram) \| (.*?) ?\|$", page, re.MULTILINE)
    return {
        name: set(re.findall(r"\w+", labels.partition(":")[0]))
        for names, labels in rows
        for name in re.findall(r"`(ferryman_\w+)`", names)
    }


def _unknown(expression: str) -> Iterator[str]:
    """Say which metrics and labels of an expression nobody tells."""
    bare = re.sub(r"\$\w+", "x", expression)
    for name in re.findall(r"\b(ferryman_\w+)", bare):
        if name not in metrics() and not name.endswith(_SUFFIXES):
            yield f"nobody tells {name}: {expression.strip()}"
        base = next((name.removesuffix(each) for each in _SUFFIXES if name.endswith(each)), name)
        if base not in metrics():
            yield f"nobody tells {base}: {expression.strip()}"
            continue
        for chosen in re.findall(rf"{name}\{{([^}}]*)\}}", bare):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen))
            for label in labels - metrics()[base] - _LABELS:
                yield f"{name} has no label {label}: {expression.strip()}"


def rules(kit: Kit) -> Iterator[str]:
    """promtool reads the rules, and each fires and keeps quiet as its test says."""
    promtool = needed("promtool")
    folder = kit.deploy / "prometheus"
    for words in (
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts_test.yaml"],
        ["check", "config", "prometheus.yaml"],
    ):
        try:
            ran([promtool, *words], cwd=folder)
        except Complaint as complaint:
            yield str(complaint)


def alerts(kit: Kit) -> list[dict[str, Any]]:
    return [rule for group in kit.yaml("prometheus/alerts.yaml")["groups"] for rule in group["rules"]]


def asked(kit: Kit) -> Iterator[str]:
    """Alerts and panels ask for metrics and labels that we tell."""
    for alert in alerts(kit):
        yield from _unknown(alert["expr"])
    for expression in expressions(kit):
        yield from _unknown(expression)
    keda = kit.yaml("k8s/components/keda/scaledobject.yaml")["spec"]["triggers"]
    for trigger in keda:
        yield from _unknown(trigger["metadata"]["query"])


def tested(kit: Kit) -> Iterator[str]:
    """Each alert has a test in which it fires and one in which it is silent, and a page that says what to do."""
    runs = [each for test in kit.yaml("prometheus/alerts_test.yaml")["tests"] for each in test["alert_rule_test"]]
    pages = (ROOT / "docs/alerts.md").read_text("utf-8")
    for name in (alert["alert"] for alert in alerts(kit)):
        fires = {bool(each["exp_alerts"]) for each in runs if each["alertname"] == name}
        if fires != {True, False}:
            yield f"{name} has no test in which it {'keeps quiet' if True in fires else 'fires'}"
        if f"\n## {name}\n" not in pages:
            yield f"docs/alerts.md does not say what to do about {name}"
    for alert in alerts(kit):
        if alert["annotations"].get("runbook") != f"docs/alerts.md#{alert['alert'].lower()}":
            yield f"{alert['alert']} leads to {alert['annotations'].get('runbook')}"


def _board(kit: Kit) -> dict[str, Any]:
    return json.loads(kit.text("grafana/ferryman.json"))


def expressions(kit: Kit) -> Iterator[str]:
    board = _board(kit)
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (each["expr"] for each in board["annotations"]["list"])


def queries(kit: Kit) -> Iterator[str]:
    """Every query of the board is one that Prometheus can read."""
    promql_parser = pytest.importorskip("promql_parser")
    for expression in expressions(kit):
        plain = re.sub(r"\$__rate_interval", "5m", expression)
        try:
            promql_parser.parse(re.sub(r"\$\w+", "x", plain))
        except ValueError as error:
            yield f"{expression}: {error}"


def panels(kit: Kit) -> Iterator[str]:
    """No panel lies on another, none is without a question, and none has somebody's own data source."""
    board = _board(kit)
    shown = [panel for panel in board["panels"] if panel["type"] != "row"]
    for one, other in combinations(board["panels"], 2):
        if one["id"] == other["id"]:
            yield f"{one['title']} and {other['title']} have one id"
        a, b = one["gridPos"], other["gridPos"]
        if all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h"))):
            yield f"{one['title']} lies on {other['title']}"
    yield from (f"{panel['title']} asks for nothing" for panel in shown if not panel.get("targets"))
    if set(re.findall(r'"uid": "([^"]+)"', kit.text("grafana/ferryman.json"))) != {"ferryman", "${datasource}"}:
        yield "the board is bound to a data source"


CHECKS = (rules, asked, tested, queries, panels)
