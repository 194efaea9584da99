"""The steps, a module for each part of the table; importing this declares them."""

from __future__ import annotations

from accept.steps import asking, failing, looking, together, workers

__all__ = ["asking", "failing", "looking", "together", "workers"]
