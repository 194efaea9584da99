"""Makes a Django project in a folder, as `startproject` does, and runs its commands and snippets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

__all__ = ["Project", "titled_blocks"]

ONE_LIBRARY = """
import sqlite3
if sqlite3.sqlite_version_info < (3, 45):  # be as a Python whose SQLite is new enough
    import sys
    import pysqlite3
    sys.modules["sqlite3"], sys.modules["sqlite3.dbapi2"] = pysqlite3, pysqlite3.dbapi2
"""

SETTINGS = """
SECRET_KEY = "for tests"
INSTALLED_APPS = ["ferryman.django", "shop"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{"default": {database!r}}}
FERRYMAN = {ferryman!r}
TASKS = {{"default": {{"BACKEND": "ferryman.django.FerrymanBackend", "OPTIONS": {{"retries": 1}}}}}}
"""

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""

MODELS = """
from django.db import models

class Order(models.Model):
    name = models.CharField(max_length=50)
"""

TASKS = """
from datetime import timedelta

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task

from ferryman.django import jobs

@jobs.task("shop:pack", retries=0)
def pack(name: str) -> str:
    from shop.models import Order
    return f"packed {Order.objects.get(name=name).name}"

@task
def add(one, other=0):
    return one + other

@task(takes_context=True, priority=80, options={"retries": 0})
async def fail(context, why):
    from shop.models import Order
    await Order.objects.acount()
    raise LookupError(f"{why} at attempt {context.attempt}")
"""

ARRANGED = """
import django
django.setup()
from asyncio import run
from django.db import connection, transaction
from ferryman.django import jobs
from ferryman.testing import run_until_empty
from shop.models import Order
from shop.tasks import add, fail, pack

def there(): return sum(jobs.sync.admin.jobs.count().values())
"""


class Project:
    """A folder with settings, one app, and tables."""

    def __init__(self, folder: Path, database: dict[str, object], *, one_library: bool = True, **ferryman: object):
        self.folder = folder
        settings = SETTINGS.format(database=database, ferryman=ferryman)
        files = {
            "settings.py": (ONE_LIBRARY if one_library else "") + settings,
            "manage.py": MANAGE,
            "shop/__init__.py": "",
            "shop/models.py": MODELS,
            "shop/tasks.py": TASKS,
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)

    def ready(self) -> Project:
        """Make the tables, Django's and ferryman's."""
        self.run(f"{ARRANGED}\nwith connection.schema_editor() as editor: editor.create_model(Order)")
        self.manage("ferryman", "migrate", "up")
        return self

    def manage(self, *words: str, code: int = 0) -> str:
        """Run a command of manage.py, and return all that it says."""
        return self._python("manage.py", *words, code=code)

    def run(self, code: str) -> str:
        """Run code of the project."""
        return self._python("-c", dedent(code))

    def act(self, code: str) -> str:
        """Run code with the project's tasks at hand."""
        return self.run(ARRANGED + dedent(code))

    def _python(self, *words: str, code: int = 0) -> str:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FERRYMAN_", "REDIS_", "DATABASE_"))
        }
        env |= {"DJANGO_SETTINGS_MODULE": "settings"}
        command = [sys.executable, "-W", "error::DeprecationWarning:ferryman", *words]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said


def titled_blocks(page: Path) -> dict[str, str]:
    """Return the files that a page of the documentation shows, by their titles."""
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', page.read_text(), re.DOTALL | re.MULTILINE))
