"""Every setting: what it means, and its default.

The settings file goes before the default, the environment before the file, and an argument
before them all.  Where jobs are kept is said by `url` or by `storage`, the name of a URL in
the file: who says one of them goes before who said either earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DEFAULT_URL", "RIVERS_INDEXES", "Settings"]

DEFAULT_URL = "sqlite:///ferryman.db"

RIVERS_INDEXES = (
    "river_job_args_index",
    "river_job_kind",
    "river_job_metadata_index",
    "river_job_pkey",
    "river_job_prioritized_fetching_index",
    "river_job_state_and_finalized_at_index",
    "river_job_unique_idx",
)
"""What River's own leader rebuilds, as far as it is there (spec/river.md 6.7)."""


@dataclass(frozen=True)
class Settings:
    """What can be set.  Times are in seconds; wherever they are written, "5m" and "1h30m" do as well."""

    url: str = DEFAULT_URL
    """Where jobs are kept."""
    storage: str = ""
    """Where jobs are kept, by a name that the settings file gives; unset: the first that it names, if any."""
    queues: Mapping[str, int] = field(default_factory=lambda: {"default": 1})
    """Queues that the worker takes from, each with its weight."""
    strict: bool = False
    """Whether a heavier queue always goes before a lighter one."""
    concurrency: int = 10
    """How many jobs a worker runs at a time."""
    timeout: float = 300.0
    """How long an attempt may take unless its task or job says; 0 is no limit."""
    stuck_after: float = 10.0
    """How long after its time is up a job may go on before it is told of; stopping it takes a moment, or fails."""
    shutdown_timeout: float = 30.0
    """How long a stopping worker waits for running jobs before it stops them."""
    take_unknown_kinds: bool = False
    """Whether to take jobs of kinds that no task here has, and fail them, as River's workers do."""
    rescue_after: float | None = None
    """After how long a running job counts as lost; unset: an hour, or the longest timeout and an hour."""
    rescue_unknown: Literal["leave", "discard"] = "leave"
    """What to do with lost jobs of kinds that no task here has."""
    rescue_silent: float | None = None
    """After how long without a heartbeat a worker of ours counts as dead, and its jobs as lost.

    Unset: only their age counts.  It takes three heartbeats at least, and half an hour at most.  Workers in
    other languages are never meant, nor is anybody on Redis, where jobs have leases.
    """
    lead: bool = True
    """Whether this worker may become the leader, who does the chores."""
    periodic: bool = True
    """Whether this worker enqueues jobs by the clock when it leads."""
    durable_schedules: bool = False
    """Whether the time of the next run outlives the leader, on Postgres and SQLite: a new one goes on with it.

    Then on_start is for a schedule that never ran, and what was missed while no worker ran is made up for by
    one run.  Without, every schedule begins anew with each leader, as River's do.
    """
    keep_completed: float | None = 86_400.0
    """How long completed jobs are kept; -1 is forever."""
    keep_cancelled: float | None = 86_400.0
    """How long cancelled jobs are kept; -1 is forever."""
    keep_discarded: float | None = 604_800.0
    """How long discarded jobs are kept; -1 is forever."""
    listen: bool = True
    """Whether to hear of new jobs and requests at once; without, everything is found by polling."""
    poll_interval: float = 1.0
    """How often to look for jobs when no notice comes."""
    heartbeat_interval: float = 5.0
    """How often a worker says that it is alive."""
    elect_interval: float = 5.0
    """How often the leader renews its term, and others try for it."""
    schedule_interval: float = 1.0
    """How often the leader makes due jobs available; five times as seldom on Redis, where looking for jobs does it."""
    rescue_interval: float = 30.0
    """How often the leader looks for lost jobs."""
    clean_interval: float = 30.0
    """How often the leader deletes old jobs."""
    side_data: bool = True
    """Whether workers keep more beside the jobs than the format does.

    That is numbers for charts, every ten seconds, for up to eight days, and on Redis the failed attempts of each job
    with their tracebacks, of which asynq keeps the latest error only.
    """
    hide_names: tuple[str, ...] = ()
    """Names under which values are hidden wherever jobs are shown, besides usual ones such as password and token."""
    show_names: tuple[str, ...] = ()
    """Names whose values are shown although they look like a secret's, such as session or token_count."""
    hide_args: tuple[str, ...] = ()
    """Kinds of whose arguments nothing is shown, such as payment:*."""
    web: str = ""
    """The command that serves the program's pages beside the worker; for `ferryman dev`."""
    reindex: tuple[str, ...] = RIVERS_INDEXES
    """Which indexes the leader rebuilds on Postgres and SQLite; "none" is none."""
    reindex_schedule: str = "0 0 * * *"
    """When it does, as a cron line; in UTC unless the line names a zone."""
    reindex_timeout: float | None = 60.0
    """How long rebuilding one index may take; -1 is no limit."""
    health_addr: str = ""
    """Where the worker tells over HTTP how it is: 127.0.0.1:8082, in a container 0.0.0.0:8082; unset: nowhere."""
    heartbeat_file: str = ""
    """A file that the worker writes every few seconds while it is live, where no port can be asked; unset: none."""
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    """What is logged: this level and above.  Also LOG_LEVEL."""
    log_format: Literal["text", "json"] | None = None
    """How it is logged; unset: text in development or on a terminal, else JSON.  Also LOG_FORMAT."""
