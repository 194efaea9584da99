"""Tells Django of ferryman: finds the tasks of every app, and registers the checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

__all__ = ["FerrymanConfig"]


class FerrymanConfig(AppConfig):
    """The app `ferryman.django`."""

    name = "ferryman.django"
    label = "ferryman"
    verbose_name = "ferryman"

    def ready(self) -> None:
        """Import each app's `tasks` module, where tasks are declared."""
        from ferryman.django import checks  # noqa: F401 - importing registers them

        autodiscover_modules("tasks")
