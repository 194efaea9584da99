"""What starting costs: what is imported, and when."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"asyncio", "sqlite3", "pysqlite3", "redis", "psycopg", "click", "rich", "starlette", "uvloop", "watchfiles"}


def loaded_by(code: str) -> set[str]:
    """Return the modules that a new interpreter has loaded after this code."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('\\n' + ' '.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


def cost_in_starts(*words: str, compiled: Path) -> float:
    """Return what a command costs in bare starts: the median of neighbours, since a machine changes its pace."""
    cost(*words, compiled=compiled)  # compiles
    return statistics.median(cost(*words, compiled=compiled) / cost("-c", "pass", compiled=compiled) for _ in range(25))


def cost(*words: str, compiled: Path) -> float:
    """Return the processor time that a command takes: unlike the clock it does not count what others do.

    Modules are `compiled` once, as they are wherever ferryman is installed.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def test_making_a_ferryman_loads_neither_asyncio_nor_a_driver_nor_click() -> None:
    assert loaded_by("import ferryman; ferryman.Ferryman()") & HEAVY == set()


def test_declaring_a_task_loads_none_of_them_either() -> None:
    declared = "import ferryman; jobs = ferryman.Ferryman(); jobs.every('1m')(jobs.task('x')(lambda: None))"
    assert loaded_by(declared) & HEAVY == set()


def test_help_loads_click_and_nothing_else_that_is_heavy() -> None:
    loaded = loaded_by("from ferryman.cli.root import cli; cli.main(['--help'])")

    assert loaded & HEAVY == {"click"}
    assert not loaded & {"msgspec", "json", "pathlib", "dataclasses", "ferryman.app", "ferryman.job"}
    assert {name for name in loaded if name.startswith("ferryman.cli.commands")} == set()


def test_a_command_loads_its_own_module_only() -> None:
    loaded = loaded_by("from ferryman.cli.root import cli; cli.main(['queue', '--help'])")

    assert {name for name in loaded if name.startswith("ferryman.cli.commands.")} == {"ferryman.cli.commands.queue"}


def test_json_is_written_without_what_draws_tables(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('json')}/x.db"

    assert "rich" not in loaded_by(
        f"from ferryman.cli.root import cli; cli.main(['job', 'list', '--json', '--url', '{url}'])"
    )


def test_a_probe_loads_nothing_that_is_heavy() -> None:
    typed = "sys.argv = ['ferryman', 'health', 'http://127.0.0.1:1/']"
    loaded = loaded_by(f"{typed}; from ferryman.__main__ import main; main()") - loaded_by("pass")

    assert {"ferryman.probe", "_socket"} <= loaded
    assert not loaded & {*HEAVY, "socket", "typing", "re", "enum", "msgspec", "json", "ferryman.errors"}


@pytest.mark.slow
def test_a_probe_costs_less_than_two_interpreter_starts(tmp_path: Path) -> None:
    (tmp_path / "alive").touch()
    probe = ("-m", "ferryman", "health", "--file", str(tmp_path / "alive"))

    assert cost_in_starts(*probe, compiled=tmp_path) < 2


@pytest.mark.slow
def test_help_costs_less_than_five_interpreter_starts(tmp_path: Path) -> None:
    """Importing click alone costs four."""
    assert cost_in_starts("-m", "ferryman", "--help", compiled=tmp_path) < 5
