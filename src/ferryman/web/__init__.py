"""The dashboard: pages and an API over any storage, closed unless somebody decides who may see it.

    from ferryman.web import Access, Dashboard, Level

    app.mount("/admin/jobs", Dashboard(jobs, auth=who_is_it))

It needs the extra `web`.
"""

from ferryman.errors import MissingExtra

try:
    import jinja2
    import python_multipart
    import starlette
except ModuleNotFoundError as error:
    raise MissingExtra(f"The dashboard needs {error.name}, which is not installed.", extra="web") from error

from ferryman.web.dashboard import Dashboard
from ferryman.web.entrance.access import Access, Level

__all__ = ["Access", "Dashboard", "Level"]

del jinja2, python_multipart, starlette
