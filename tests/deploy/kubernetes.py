"""Checks of the Kubernetes manifests that need no cluster: of what kubectl makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kit import Complaint, Kit, needed, ran
from deploy.words import not_understood, unknown_variables
from ferryman.duration import parse_duration

__all__ = ["CHECKS"]

_OVERLAYS = ("dev", "prod")
_FOREIGN = ("keda.sh/", "monitoring.coreos.com/")
_HAND_BACK = 10.0
Manifest = dict[str, Any]


def _all(kit: Kit) -> Iterator[Manifest]:
    for overlay in _OVERLAYS:
        yield from kit.rendered(overlay)


def _named(each: Manifest) -> str:
    return f"{each['kind']} {each['metadata']['name']}"


def _pods(kit: Kit) -> Iterator[tuple[Manifest, Manifest, Manifest]]:
    """Yield who makes pods, the pods' own text, and their one container."""
    for each in _all(kit):
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            pod = each["spec"]["template"]["spec"]
            yield each, pod, pod["containers"][0]


def fields(kit: Kit) -> Iterator[str]:
    """Every field is one that Kubernetes 1.32 has, of the type that it takes."""
    validate = needed("kubernetes-validate")
    ours = [each for each in _all(kit) if not each["apiVersion"].startswith(_FOREIGN)]
    try:
        ran([validate, "--strict", "-k", "1.32", "-"], given=yaml.safe_dump_all(ours))
    except Complaint as complaint:
        yield str(complaint)


def foreign_fields(kit: Kit) -> Iterator[str]:
    """The resources of KEDA and of the Prometheus Operator have the fields of their definitions."""
    jsonschema = pytest.importorskip("jsonschema")
    schemas = json.loads((Path(__file__).parent / "foreign.json").read_text())
    for each in _all(kit):
        if each["apiVersion"].startswith(_FOREIGN):
            for error in jsonschema.Draft202012Validator(schemas[each["kind"]]).iter_errors(each["spec"]):
                yield f"{_named(each)}: {error.json_path}: {error.message}"


def probes(kit: Kit) -> Iterator[str]:
    """Whatever stays has three probes, and a worker's liveness never asks for its storage."""
    for each, _, container in _pods(kit):
        missing = {"startupProbe", "livenessProbe", "readinessProbe"} - container.keys()
        if each["kind"] != "Job" and missing:
            yield f"{_named(each)} lacks {', '.join(sorted(missing))}"
        if _named(each) == "Deployment worker":
            named = (container.get(f"{which}Probe") for which in ("startup", "liveness", "readiness"))
            paths = [each["httpGet"]["path"] for each in named if each]
            if paths != ["/startupz", "/livez", "/readyz"]:
                yield f"the worker is probed at {', '.join(paths)}"


def grace(kit: Kit) -> Iterator[str]:
    """The worker's pod outlives its shutdown timeout, and takes no time of it for anything else."""
    for each, pod, container in _pods(kit):
        if _named(each) == "Deployment worker":
            timeout = parse_duration(_environment(container)["SHUTDOWN_TIMEOUT"]).total_seconds()
            if pod["terminationGracePeriodSeconds"] < timeout + _HAND_BACK:
                grace = pod["terminationGracePeriodSeconds"]
                yield f"the worker is killed after {grace} s, and its patience is {timeout:g} s"
            if "preStop" in container.get("lifecycle", {}):
                yield "the worker has a preStop, whose time its jobs lack"


def _environment(container: Manifest) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container.get("env", ())}


def security(kit: Kit) -> Iterator[str]:
    """Nobody is root, may become it, or writes to its own image."""
    for each, pod, container in _pods(kit):
        own = container.get("securityContext", {})
        wanted = {
            "runAsNonRoot": pod.get("securityContext", {}).get("runAsNonRoot") is True,
            "seccompProfile": "seccompProfile" in pod.get("securityContext", {}),
            "automountServiceAccountToken": pod.get("automountServiceAccountToken") is False,
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
            "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
        }
        yield from (f"{_named(each)}: {name} is not as it should be" for name, is_so in wanted.items() if not is_so)


def resources(kit: Kit) -> Iterator[str]:
    """Each asks for what it needs and has a limit of memory; a limit of CPU only makes it slow."""
    for each, _, container in _pods(kit):
        found = container.get("resources", {})
        if {"cpu", "memory"} - found.get("requests", {}).keys() or found.get("limits", {}).keys() != {"memory"}:
            yield f"{_named(each)} asks for {found}"


def images(kit: Kit) -> Iterator[str]:
    """Images have a version, and in production they come from somewhere."""
    for each, _, container in _pods(kit):
        if not re.search(r":[\w.-]+$", container["image"]) or container["image"].endswith(":latest"):
            yield f"{_named(each)} runs {container['image']}, whichever that is today"


def secrets(kit: Kit) -> Iterator[str]:
    """Nothing secret is a plain value, and production brings no Secret along."""
    secret = re.compile(r"password|secret|token|key|_URL$", re.IGNORECASE)
    for each, _, container in _pods(kit):
        for name, value in _environment(container).items():
            if secret.search(name) and value:
                yield f"{_named(each)} has {name} as a plain value"
    for each in _all(kit):
        for name, value in each.get("data", {}).items() if each["kind"] == "ConfigMap" else ():
            if re.search(r"://[^/\s]*:[^/\s]*@", value) or (secret.search(name) and name != "WEBHOOK_URL"):
                yield f"{_named(each)} tells {name} to everybody"
    yield from (f"production carries {_named(each)}" for each in kit.rendered("prod") if each["kind"] == "Secret")


def disruption(kit: Kit) -> Iterator[str]:
    """Web and worker are never drained all at once, and a stuck pod never keeps a node."""
    budgets = {each["metadata"]["name"]: each["spec"] for each in _all(kit) if each["kind"] == "PodDisruptionBudget"}
    for name in ("web", "worker"):
        found = budgets.get(name, {})
        if found.get("maxUnavailable") != 1 or found.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"the disruption budget of {name} is {found or 'missing'}"


def rollout(kit: Kit) -> Iterator[str]:
    """A new worker is there before an old one goes."""
    for each, _, _ in _pods(kit):
        how = each["spec"].get("strategy")
        if each["metadata"]["name"] in ("web", "worker") and how["rollingUpdate"] != {
            "maxUnavailable": 0,
            "maxSurge": 1,
        }:
            yield f"{_named(each)} rolls out by {how}"


def scaling(kit: Kit) -> Iterator[str]:
    """Workers are scaled by work and never to none, and nobody but who scales says how many there are."""
    prod = kit.rendered("prod")
    targets = [each["spec"]["scaleTargetRef"]["name"] for each in prod if "scaleTargetRef" in each.get("spec", {})]
    for each in prod:
        if each["kind"] == "HorizontalPodAutoscaler" and each["spec"]["scaleTargetRef"]["name"] == "worker":
            yield "the worker is scaled by CPU, and uses none while it waits"
        if each["kind"] == "ScaledObject" and each["spec"]["minReplicaCount"] < 1:
            yield "the last worker goes, and with it every schedule"
        if each["kind"] == "Deployment" and each["metadata"]["name"] in targets and "replicas" in each["spec"]:
            yield f"{_named(each)} says how many there are, and so does who scales it"


def reachable(kit: Kit) -> Iterator[str]:
    """Who is asked has a policy that lets in who asks, and the dashboard is reached by the login proxy alone."""
    prod = kit.rendered("prod")
    policies = {each["metadata"]["name"]: each["spec"] for each in prod if each["kind"] == "NetworkPolicy"}
    if policies.get("nobody-by-default") != {"podSelector": {}, "policyTypes": ["Ingress"]}:
        yield "whoever has no policy is open to everybody"
    for name in ("web", "redis", "dashboard", "metrics"):
        if not all("from" in rule for rule in policies.get(name, {}).get("ingress", [{}])):
            yield f"everybody may reach {name}"
    (rule,) = policies["dashboard"]["ingress"]
    if [from_.keys() for from_ in rule["from"]] != [{"namespaceSelector", "podSelector"}]:
        yield "more than the login proxy may reach the dashboard"


def selectors(kit: Kit) -> Iterator[str]:
    """Services, budgets, policies and monitors find the pods that they mean."""
    for overlay in _OVERLAYS:
        manifests = kit.rendered(overlay)
        pods = [
            each["spec"]["template"]["metadata"]["labels"] for each in manifests if "template" in each.get("spec", {})
        ]
        for each in manifests:
            wanted = each.get("spec", {}).get("selector") or each.get("spec", {}).get("podSelector") or {}
            labels = wanted.get("matchLabels", wanted if each["kind"] == "Service" else {})
            if labels and not any(labels.items() <= pod.items() for pod in pods):
                yield f"{_named(each)} of {overlay} finds no pod: {labels}"


def redis(kit: Kit) -> Iterator[str]:
    """Redis writes what it accepts, drops nothing, and has room to rewrite its file."""
    (conf,) = [each["data"]["redis.conf"] for each in kit.rendered("prod") if each["metadata"]["name"] == "redis-conf"]
    said = dict(line.split(maxsplit=1) for line in conf.splitlines())
    for name, value in {"appendonly": "yes", "maxmemory-policy": "noeviction", "dir": "/data"}.items():
        if said.get(name) != value:
            yield f"redis runs with {name} {said.get(name, 'unset')}, not {value}"
    for each, _, container in _pods(kit):
        if _named(each) == "StatefulSet redis":
            limit = container["resources"]["limits"]["memory"]
            if 2 * int(said["maxmemory"].removesuffix("mb")) > int(limit.removesuffix("Mi")):
                yield f"redis keeps up to {said['maxmemory']} in {limit}: less than twice"


def commands(kit: Kit) -> Iterator[str]:
    """Every command of ours is one that our programs understand, and every variable is read by somebody."""
    for _, _, container in _pods(kit):
        yield from not_understood(container.get("args", ["nothing"]))
        yield from unknown_variables(_environment(container))
    for each in _all(kit):
        if each["kind"] in ("ConfigMap", "Secret") and each["metadata"]["name"].startswith("app"):
            yield from unknown_variables(each["data"])


CHECKS = (
    *(fields, foreign_fields, probes, grace, security, resources, images, secrets, disruption, rollout, scaling),
    *(reachable, selectors, redis, commands),
)
