"""Which failures are the same one."""

from __future__ import annotations

import pytest

from ferryman.fingerprint import fingerprint, outline
from ferryman.job import AttemptError
from storage.samples import NOW

TRACE = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/ferryman/engine/attempt.py", line 30, in call
  File "/srv/{release}/app/mail.py", line {line}, in send
  File "/usr/lib/python3.11/smtplib.py", line 255, in __init__
SMTPConnectError: no
"""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("TimeoutError: took more than 30 s", "TimeoutError: took more than <n> s"),
        ("user 018f2b7a-1111-4222-8333-444455556666 is gone", "user <id> is gone"),
        ("GET https://example.com/a/1?b=2 failed", "GET <url> failed"),
        ("KeyError: 'ada'", "KeyError: <text>"),
        ('no such name "ada"', "no such name <text>"),
        ("can't do 3,000.5 things", "can't do <n> things"),
        ("No such file: /var/tmp/x-12.csv", "No such file: <path>"),
        ("at 0x7f32963e0690", "at <hex>"),
        ("commit deadbeef42 and decade", "commit <hex> and decade"),
        ("first\nsecond 2", "first"),
        ("", ""),
    ],
)
def test_what_differs_from_job_to_job_is_taken_out(text: str, same: str) -> None:
    assert outline(text) == same


def test_the_same_failure_has_the_same_name_whatever_the_release() -> None:
    one = AttemptError(NOW, 1, "no host 1", TRACE.format(release="r1", line=9))
    two = AttemptError(NOW, 4, "no host 2", TRACE.format(release="r2", line=12))

    assert fingerprint("mail", one) == fingerprint("mail", two)
    assert len(fingerprint("mail", one)) == 12


@pytest.mark.parametrize(
    "other",
    [
        ("sms", AttemptError(NOW, 1, "no host 1", TRACE.format(release="r1", line=9))),
        ("mail", AttemptError(NOW, 1, "no user 1", TRACE.format(release="r1", line=9))),
        ("mail", AttemptError(NOW, 1, "no host 1", TRACE.replace("in send", "in test").format(release="r1", line=9))),
        ("mail", AttemptError(NOW, 1, "no host 1", "")),
    ],
)
def test_kind_message_and_function_tell_failures_apart(other: tuple[str, AttemptError]) -> None:
    here = AttemptError(NOW, 1, "no host 1", TRACE.format(release="r1", line=9))

    assert fingerprint(*other) != fingerprint("mail", here)
