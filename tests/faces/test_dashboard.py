"""`ferryman dashboard`, served by itself."""

from __future__ import annotations

from pathlib import Path
from signal import SIGTERM
from urllib.request import urlopen

import pytest

from faces.process import Process
from faces.typed import Typed

pytestmark = pytest.mark.slow


def test_behind_a_proxy_its_links_stay_below_the_path_and_what_is_to_be_hidden_is(
    ferryman: Typed, folder: Path
) -> None:
    ferryman("enqueue", "payment:book", '{"iban_of": "ada", "amount": 12345}')
    said = ("--port", "0", "--root-path", "/tools", "--hide-args", "payment:*")

    with Process("dashboard", *said, folder=folder) as process:
        address = process.hear(r"dashboard on (http://127.0.0.1:\d+)")[1]
        with urlopen(f"{address}/s/main/jobs") as answer:
            page = answer.read().decode()

    assert 'href="/tools/s/main/queues"' in page
    assert "payment:book" in page
    assert "12345" not in page


def test_it_hangs_up_on_those_who_listen_for_news_when_it_is_told_to_end(ferryman: Typed, folder: Path) -> None:
    ferryman("enqueue", "mail:send", "{}")

    with Process("dashboard", "--port", "0", folder=folder) as process:
        address = process.hear(r"dashboard on (http://127.0.0.1:\d+)")[1]
        with urlopen(f"{address}/api/v1/s/main/events") as stream:
            begun = stream.readline()
            process.send(SIGTERM)
            stream.read()  # to its end: a connection that is cut in the middle would raise
        code = process.ended()

    assert begun == b"retry: 5000\n"
    assert code == 0
