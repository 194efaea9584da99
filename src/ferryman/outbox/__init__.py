"""The outbox: how a job gets to Redis in a transaction of the application's own SQL database.

    outbox = Outbox(engine.begin)                       # how to begin a transaction, whatever library it is of
    jobs = Ferryman("redis://…", outbox=outbox)

    await welcome.using(tx=session).enqueue(42)         # a row beside yours; nothing if you roll back
    await session.commit()
    outbox.send_soon()                                  # else a worker sends it within a second

A job may be sent twice, by a relay that died before it could say that it was sent: its
id goes with it, so the second time changes nothing.
"""

from __future__ import annotations

from ferryman.outbox.outbox import Outbox
from ferryman.outbox.table import Waiting, ddl

__all__ = ["Outbox", "Waiting", "ddl"]
