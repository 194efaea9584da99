# ruff: noqa: E501 - a mistake is a line
"""The mistakes that are planted into copies of the kit: who must find it, the file, what stood there, what stands there now, the complaint."""

from __future__ import annotations

from deploy import compose, image, kubernetes, machine, numbers
from deploy.kit import Check

__all__ = ["MISTAKES"]

WEB, WORKER = "k8s/base/web.yaml", "k8s/base/worker.yaml"
REDIS, KEDA = "k8s/components/redis/redis.yaml", "k8s/components/keda/scaledobject.yaml"
DASHBOARD, UNIT = "k8s/components/dashboard/dashboard.yaml", "systemd/ferryman-worker@.service"
ALERTS, BOARD = "prometheus/alerts.yaml", "grafana/ferryman.json"

# fmt: off
MISTAKES: list[tuple[Check, str, str, str, str]] = [
    (compose.keys, "compose.yaml", "stop_grace_period", "stop_grace_periods", "stop_grace_periods"),
    (compose.ports, "compose.yaml", '"127.0.0.1:6379:6379"', '"6379:6379"', "redis opens 6379:6379 to everybody"),
    (compose.volumes, "compose.yaml", "redisdata:/data", "./data:/data", "redis keeps its data in ./data:/data"),
    (compose.images, "compose.yaml", "postgres:17-alpine", "postgres:latest", "postgres runs postgres:latest"),
    (compose.healthchecks, "compose.yaml", "      s3: {condition", "      s4: {condition", "bucket waits for s4"),
    (compose.limits, "compose.yaml", "256mb", "300mb", "less than twice its maxmemory"),
    (compose.durability, "compose.yaml", "noeviction", "allkeys-lru", "--maxmemory-policy allkeys-lru"),
    (compose.durability, "compose.yaml", "--appendonly", "--save", "--appendonly unset"),
    (compose.grace, "compose.yaml", "stop_grace_period: 40s", "stop_grace_period: 30s", "killed after 30 s"),
    (compose.login, "compose.yaml", "FERRYMAN_DASHBOARD_AUTH: basic", "FERRYMAN_DASHBOARD_TITLE: x", "open to everybody"),
    (compose.commands, "compose.yaml", "--no-embedded-worker", "--no-worker", "has no --no-worker"),
    (compose.commands, "compose.yaml", "ferryman, health, ", "ferryman, healthy, ", "no command healthy"),
    (compose.variables, "compose.yaml", "MOCK_LATENCY", "MOCK_DELAY", "MOCK_DELAY"),
    (compose.variables, ".env.example", "FERRYMAN_URL=", "FERRYMAN_URI=", "does not tell of FERRYMAN_URL"),
    (image.lint, "Dockerfile", "WORKDIR /opt/app", "WORKDIR opt/app", "DL3000"),
    (image.sources, "Dockerfile", "COPY src ./src", "COPY source ./src", "copies source, which is not there"),
    (image.sources, "Dockerfile.dockerignore", "!src\n", "", "keeps src out"),
    (image.process, "Dockerfile", 'CMD ["python", "-m", "briefings", "--web"]', "CMD python -m briefings", "a shell stands"),
    (image.process, "Dockerfile", 'moto[server]>=5.1"\nUSER 10001:10001', 'moto[server]>=5.1"', "ends as user 0:0"),
    (image.python, "Dockerfile", "ARG PYTHON=3.13", "ARG PYTHON=3.10", "has Python 3.10"),
    (image.lock, "requirements.txt", "msgspec==", "msgspecs==", "lacks msgspec"),
    (image.lock, "requirements.txt", "redis==8", "redis==7", "redis 7"),
    (kubernetes.fields, WORKER, "terminationGracePeriodSeconds", "terminationGraceSeconds", "terminationGraceSeconds"),
    (kubernetes.foreign_fields, KEDA, "minReplicaCount", "minReplicas", "minReplicas"),
    (kubernetes.probes, WORKER, "startupProbe", "lifecycle", "lacks startupProbe"),
    (kubernetes.probes, WORKER, "path: /livez", "path: /readyz", "probed at"),
    (kubernetes.grace, WORKER, "PeriodSeconds: 40", "PeriodSeconds: 30", "killed after 30 s"),
    (kubernetes.security, WEB, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRootFilesystem"),
    (kubernetes.resources, WORKER, "limits: {memory: 384Mi}", "limits: {cpu: 1}", "Deployment worker asks for"),
    (kubernetes.images, "k8s/overlays/prod/kustomization.yaml", ", newTag: 0.1.0", "", "whichever that is today"),
    (kubernetes.secrets, "k8s/base/config.yaml", "LOG_FORMAT: json", "ADMIN_TOKEN: x", "tells ADMIN_TOKEN to everybody"),
    (kubernetes.disruption, WORKER, "AlwaysAllow", "IfHealthyBudget", "disruption budget of worker"),
    (kubernetes.rollout, WORKER, "maxUnavailable: 0", "maxUnavailable: 1", "Deployment worker rolls out"),
    (kubernetes.scaling, KEDA, "minReplicaCount: 1", "minReplicaCount: 0", "the last worker goes"),
    (kubernetes.scaling, "k8s/overlays/prod/hpa.yaml", "name: web}\n  min", "name: worker}\n  min", "scaled by CPU"),
    (kubernetes.reachable, DASHBOARD, "          podSelector:\n", "        - podSelector:\n", "more than the login proxy"),
    (kubernetes.selectors, REDIS, "selector: {app.kubernetes.io/name: redis", "selector: {app.kubernetes.io/name: rdis", "finds no pod"),
    (kubernetes.redis, REDIS, "maxmemory 384mb", "maxmemory 500mb", "less than twice"),
    (kubernetes.redis, REDIS, "appendonly yes", "appendonly no", "appendonly no"),
    (kubernetes.commands, WORKER, "--worker", "--work", "has no --work"),
    (kubernetes.commands, "k8s/base/config.yaml", "WORKER_CONCURRENCY", "CONCURRENCY", "the variable CONCURRENCY"),
    (machine.verified, UNIT, "[Service]\n", "[Service]\nExecStart=nowhere\n", "more than one ExecStart"),
    (machine.hardened, UNIT, "SystemCallFilter=@system-service", "User=root", "exposure"),
    (machine.told, UNIT, "TimeoutStopSec=40", "TimeoutStopSec=30", "killed after 30"),
    (machine.told, UNIT, "Type=notify", "Type=simple", "does not hear"),
    (machine.commands, "systemd/ferryman-metrics.service", "--port", "--prot", "No such option"),
    (numbers.rules, ALERTS, 'state="available"}) > 0 unless', 'state="available"}) > 9 unless', "FerrymanNoWorkers"),
    (numbers.asked, ALERTS, "ferryman_queue_paused", "ferryman_queue_held", "nobody tells ferryman_queue_held"),
    (numbers.asked, BOARD, "ferryman_worker_slots_busy", "ferryman_worker_slots_taken", "nobody tells"),
    (numbers.asked, ALERTS, 'attempts_total{outcome=~', 'attempts_total{result=~', "no label result"),
    (numbers.tested, "prometheus/alerts_test.yaml", "{eval_time: 25m, alertname: FerrymanMetricsStale", "{eval_time: 25m, alertname: FerrymanMetricsGone", "keeps quiet"),
    (numbers.queries, BOARD, "histogram_quantile(", "histogram_quantile((", "histogram_quantile(("),
    (numbers.panels, BOARD, '"uid": "${datasource}"', '"uid": "abc"', "bound to a data source"),
]
# fmt: on
