"""Numbers for Prometheus, with the names of spec/ops.md 5.8; needs the extra `metrics`.

What a worker does is counted by the worker (`counting`); what waits in the storage is
asked for once, by whoever runs `ferryman metrics` (`storage`).
"""

from __future__ import annotations
