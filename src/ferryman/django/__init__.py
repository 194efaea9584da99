"""ferryman in Django: tasks, transactions, `manage.py ferryman`.

    INSTALLED_APPS = [..., "ferryman.django"]
    FERRYMAN = {"concurrency": 5}                       # the fields of Settings; jobs are beside your own tables

    from ferryman.django import jobs                    # in any app's tasks.py

    @jobs.task("mail:welcome", retries=3)
    def welcome(user_id: int) -> None: ...

Django's own `@task` works too, with `TASKS = {"default": {"BACKEND": "ferryman.django.FerrymanBackend"}}`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferryman.django.app import DjangoFerryman
    from ferryman.django.backend import FerrymanBackend

    jobs: DjangoFerryman

__all__ = ["FerrymanBackend", "jobs"]


def __getattr__(name: str) -> Any:
    # Django imports this package while it loads its settings, before most of it can be used.
    if name == "jobs":
        return _jobs()
    if name == "FerrymanBackend":
        from ferryman.django.backend import FerrymanBackend

        return FerrymanBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _jobs() -> DjangoFerryman:
    """Make the project's Ferryman once; Django is set up first where nobody has begun, as in `ferryman worker`."""
    import django
    from django.apps import apps

    from ferryman.django.app import DjangoFerryman, given

    if not apps.loading:
        django.setup()
    return DjangoFerryman(**given())
