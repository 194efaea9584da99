"""What hypothesis tries, it tries alike on every machine, however busy that is.

A failure is then that of a change, and not of the day.  To look for new examples:
`pytest --hypothesis-profile default tests/vocabulary tests/storage/asynq`.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
