"""The database that the harness names: storages for schemas, and connections for named transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ferryman.connect import connect
from ferryman.errors import ConfigError
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.testing.river_adapter.requests import Rejected

__all__ = ["Database", "database"]

_DRIVER = "RIVER_CONFORMANCE_DRIVER"
_URL = "RIVER_CONFORMANCE_DATABASE_URL"
_NAME = "RIVER_CONFORMANCE_APPLICATION_NAME"


class Database(Protocol):
    """What differs between Postgres and SQLite for whoever connects."""

    driver: str

    def storage(self, schema: str, *, connections: int) -> AsyncStorage:
        """Return a storage, not yet opened; an empty schema is where the connection leads."""
        ...

    async def begin(self) -> Any:
        """Open a connection of the driver's own, and a transaction on it."""
        ...

    async def end(self, connection: Any, *, commit: bool) -> None:
        """End the transaction, and close its connection whatever happens."""
        ...


def database(environment: Mapping[str, str]) -> Database:
    """Return the database that the environment names.  Raises ConfigError."""
    driver = environment.get(_DRIVER, "")
    if driver == "sqlite":
        return SqliteDatabase(environment[_URL])
    if driver == "postgres":
        return PostgresDatabase(environment[_URL], environment.get(_NAME, "ferryman"))
    raise ConfigError(f'{_DRIVER} is "{driver}". It takes postgres or sqlite.')


class SqliteDatabase:
    """A file."""

    driver = "sqlite"

    def __init__(self, path: str) -> None:
        self._url = f"sqlite:///{quote(path)}"

    def storage(self, schema: str, *, connections: int) -> AsyncStorage:
        if schema:
            raise Rejected(f'SQLite has no schema "{schema}".')
        return connect(self._url)

    async def begin(self) -> Any:
        from ferryman.storage.river.sqlite.location import Location

        connection = Location.parse(self._url).open()
        connection.execute("begin immediate")
        return connection

    async def end(self, connection: Any, *, commit: bool) -> None:
        try:
            connection.execute("commit" if commit else "rollback")
        finally:
            connection.close()


class PostgresDatabase:
    """A server's database, seen through the search path of the URL."""

    driver = "postgres"

    def __init__(self, url: str, application_name: str) -> None:
        self._parts = urlsplit(url)
        options = [each for each in parse_qsl(self._parts.query) if each[0] != "application_name"]
        self._options = [*options, ("application_name", application_name)]

    def _url(self, *more: tuple[str, str]) -> str:
        query = urlencode([*self._options, *more], quote_via=quote)
        return urlunsplit(("postgresql", self._parts.netloc, self._parts.path, query, ""))

    def storage(self, schema: str, *, connections: int) -> AsyncStorage:
        from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
        from ferryman.storage.river.postgres.location import Location

        url = self._url(("schema", schema)) if schema else self._url()
        return AsyncPostgresStorage(Location.parse(url), connections=connections)

    async def begin(self) -> Any:
        from psycopg import AsyncConnection

        connection = await AsyncConnection.connect(self._url())
        await connection.execute("select 1")  # a transaction begins with its first statement
        return connection

    async def end(self, connection: Any, *, commit: bool) -> None:
        try:
            await (connection.commit() if commit else connection.rollback())
        finally:
            await connection.close()
