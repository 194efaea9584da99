"""Files of briefings: a row here, the bytes in the object store.

A row is written before its object and deleted after it.  So whatever breaks in between
leaves a row without an object, which the next clean-up removes, and never an object
that nobody can find.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from obstore.store import LocalStore, S3Store

from briefings import settings
from briefings.database import Database

logger = logging.getLogger("briefings")


class Gone(Exception):
    """The briefing was deleted while its file was on the way."""


class CleanupFailed(Exception):
    """Not one orphan could be deleted."""


def open_objects() -> LocalStore | S3Store:
    """Return where the bytes are: a folder, or a bucket of anything that speaks S3 (its keys: AWS_ACCESS_KEY_ID, …)."""
    if not settings.s3_bucket:
        return LocalStore(settings.objects, mkdir=True)
    config = {"endpoint": settings.s3_endpoint} if settings.s3_endpoint else None
    # It would try again for three minutes, with somebody waiting.
    hasty: Any = {"client_options": {"allow_http": True, "timeout": "10s"}, "retry_config": {"max_retries": 2}}
    return S3Store(settings.s3_bucket, config=config, **hasty)  # type: ignore[arg-type]


async def attach(database: Database, briefing_id: UUID, name: str, data: bytes) -> UUID:
    """Store a file.  Raises Gone when there is no such briefing, or no longer."""
    file = uuid4()
    key = f"{briefing_id}/{file}"
    await _change_one(database, "announce_file", file=file, id=briefing_id, name=name[-100:], key=key)
    await open_objects().put_async(key, data)
    await _change_one(database, "file_is_there", file=file)
    return file


async def _change_one(database: Database, query: str, **values: Any) -> None:
    async with database.transaction() as tx:
        if tx.run(query, **values).rowcount != 1:
            raise Gone


async def clean_up(database: Database) -> dict[str, int]:
    """Delete what belongs to no briefing.  What cannot be deleted stays for the next run.

    Raises CleanupFailed when there were orphans and nothing worked.
    """
    objects, began = open_objects(), datetime.now(UTC)
    scanned = deleted = 0
    while orphans := await _claim(database, began):
        scanned += len(orphans)
        for orphan in orphans:
            deleted += await _delete(database, objects, orphan)
    if scanned and not deleted:
        raise CleanupFailed(f"None of {scanned} orphaned files could be deleted.")
    return {"scanned": scanned, "deleted": deleted, "errors": scanned - deleted}


async def _claim(database: Database, began: datetime) -> list[Any]:
    async with database.transaction() as tx:
        rows = tx.run("claim_orphans", began=began, horizon=began - settings.orphan_age)
        return list(rows.fetchall())


async def _delete(database: Database, objects: LocalStore | S3Store, orphan: Any) -> bool:
    error = await _delete_object(objects, orphan["object_key"])
    async with database.transaction() as tx:
        if error:
            tx.run("could_not_delete", id=orphan["id"], error=error)
        else:
            tx.run("delete_file", id=orphan["id"])
    logger.info("row of file %s %s", orphan["id"], "stays" if error else "deleted")
    return not error


async def _delete_object(objects: LocalStore | S3Store, key: str) -> str:
    """Delete an object, and return why that could not be done.  One that is not there is as good as deleted."""
    try:
        await objects.delete_async(key)
    except FileNotFoundError:
        logger.info("object %s was not there any more", key)
    except Exception as error:
        why = str(error).partition("\n")[0]
        logger.warning("object %s could not be deleted: %s", key, why)
        return why
    else:
        logger.info("object %s deleted", key)
    return ""
