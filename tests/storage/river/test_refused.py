"""What River's clients refuse, we refuse, before anything is stored (spec/river.md 3.1)."""

from __future__ import annotations

import pytest

from ferryman.errors import InvalidJob, Unsupported
from ferryman.job import Unique
from ferryman.storage.river.rules import LargeArguments
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import run, states, store
from storage.samples import NOW, mail

REFUSED = [
    ({"kind": "x"}, 'The kind "x"'),
    ({"kind": "kind with space"}, "kind with space"),
    ({"kind": "k" * 128}, "2 to 127"),
    ({"kind": "mail\n"}, "The kind"),
    ({"kind": "märchen"}, "märchen"),
    ({"queue": "Upper"}, "Upper"),
    ({"queue": "two--dashes"}, "two--dashes"),
    ({"queue": "-front"}, "-front"),
    ({"queue": "q" * 65}, "up to 64"),
    ({"queue": "default\n"}, "queue name"),
    ({"priority": 0}, "priority is 0. It takes 1"),
    ({"priority": 5}, "priority is 5. It takes 1"),
    ({"priority": -1}, "priority is -1"),
    ({"tags": ("ab",)}, 'The tag "ab"'),
    ({"tags": ("with,comma",)}, "with,comma"),
    ({"tags": ("good-one", "t" * 256)}, "3 to 255"),
    ({"args": b""}, "not JSON"),
    ({"args": b"not json"}, "not JSON"),
    ({"args": b'{"a":1} trailing'}, "not JSON"),
    ({"args": b"{a:1}"}, "not JSON"),
    ({"args": b'{"a":"\xff"}'}, "not JSON"),
    ({"args": b"[" * 1_001 + b"]" * 1_001}, "not JSON|deep"),
    (
        {"args": b'{"a":"\\u0000"}'},
        r'NUL character \(\\u0000\) in the arguments of "mail", which Postgres',
    ),
    ({"args": b'["\\\\\\u0000"]'}, "NUL"),
    ({"metadata": {"name": "Ada\0"}}, 'NUL .* in the metadata of "mail"'),
    ({"metadata": {"na\0me": "Ada"}}, "NUL"),
    ({"headers": {"trace": "\0"}}, "NUL"),
    ({"metadata": "text"}, "metadata is 'text'"),
    ({"metadata": [1]}, "It takes a mapping"),
    ({"metadata": {"ratio": float("nan")}}, "JSON"),
    ({"unique": Unique()}, "compares nothing"),
    ({"unique": Unique(by_args=True), "args": b"[1]"}, "a JSON object"),
]

UNSUPPORTED = [
    ({"group": "digest"}, 'group="digest".*redis://'),
    ({"id": "my-own"}, 'id="my-own".*numbers'),
    ({"id": "0"}, 'id="0"'),
    ({"id": "9" * 19}, "numbers"),
    ({"id": "٣"}, "numbers"),
]


@pytest.mark.parametrize(("said", "sentence"), REFUSED)
def test_an_unsuitable_job_is_refused_by_name_and_nothing_is_stored(storage: SqliteStorage, said, sentence) -> None:
    for insert in (storage.jobs.insert, storage.jobs.insert_fast):
        with pytest.raises(InvalidJob, match=sentence):
            insert([mail(), mail(**said), mail()], now=NOW)

    assert states(storage) == {}


@pytest.mark.parametrize(("said", "sentence"), UNSUPPORTED)
def test_what_river_has_no_place_for_is_unsupported(storage: SqliteStorage, said, sentence) -> None:
    with pytest.raises(Unsupported, match=sentence):
        storage.jobs.insert([mail(), mail(**said)], now=NOW)

    assert states(storage) == {}


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "ab"},
        {"kind": "k" * 127},
        {"kind": "Mail[To]<x>/y.z·a:b+c-d_e"},
        {"queue": "q" * 64},
        {"queue": "a-b_c|d"},
        {"priority": 4},
        {"max_attempts": 1},
        {"max_attempts": 40_000},
        {"tags": ("abc", "t" * 255, "a-b_c")},
        {"args": b"[1,2]"},
        {"args": b"null"},
        {"args": rb'["\\u0000"]'},
        {"args": b'{"deep":' + b"[" * 900 + b"]" * 900 + b"}"},
        {"metadata": {}},
        {"id": "9007199254740993"},
    ],
)
def test_what_river_takes_we_take(storage: SqliteStorage, said) -> None:
    job = run(storage, mail(**said))

    assert all(getattr(job, name) == value for name, value in said.items() if name != "metadata")


def test_very_large_arguments_are_stored_with_a_warning(storage: SqliteStorage) -> None:
    args = b'{"text":"' + b"x" * 1024 * 1024 + b'"}'

    with pytest.warns(LargeArguments, match="1,048,587 bytes"):
        ref = store(storage, mail(args=args))

    assert storage.jobs.get(ref).args == args
