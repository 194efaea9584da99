"""What looks like a secret, and what is shown in its place (spec/dashboard.md 3.5).

A value is one by the name it stands under, at any depth, or by its own form: a token, a
key of a known provider, a password in a URL.  Everything that shows what jobs carry or
what errors say asks here.  The best advice stays another: put ids into jobs, no secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from ferryman.job import AttemptError, Job

__all__ = [
    "SECRET_NAMES",
    "hidden",
    "is_secret_name",
    "job_without_secrets",
    "payload_without_secrets",
    "secret_places",
    "without_password",
    "without_secrets",
]

_LONG_NAMES = (
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "cookie",
    "session",
    "credential",
    "cardnumber",
)
# These stand within longer words by chance, as in className: they count as a word of their own only.
_SHORT_NAMES = frozenset({"pwd", "dsn", "cvv", "iban", "ssn"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

SECRET_NAMES = (*_LONG_NAMES, *sorted(_SHORT_NAMES))
"""What a name has in it for what stands under it to be hidden."""

_PASSWORD = re.compile(r"(password=)[^&]*")
_SECRETS = re.compile(
    r"""
      -----BEGIN[ ][A-Z ]+-----.*?(?:-----END[ ][A-Z ]+-----|\Z)
    | \beyJ[\w-]+\.[\w-]+\.[\w-]*
    | \bsk-[\w-]{16,} | \bgh[a-z]_\w{16,} | \bgithub_pat_\w{16,} | \bxox[a-z]-[\w-]{10,} | \bAKIA[0-9A-Z]{16}
    | (?P<bearer>\b[Bb]earer\s+)[\w.~+/=-]{8,}
    | (?P<user>\b[a-zA-Z][\w+.-]*://[^\s:/@'"]*:)[^\s/?\#'"]+(?=@)
    | (?P<name>(?i:password|passwd|pwd|secret|token|api[_-]?key)(?:\s*=\s*|["']\s*[:=]\s*))
      (?:"[^"•]+" | '[^'•]+' | [^\s"',;&)}\]•*]+)
    """,
    re.VERBOSE | re.DOTALL,
)
# To look for these first is a hundred times as fast, and a long traceback seldom has any.
_SIGNS = ("-----begin", "eyj", "sk-", "gh", "xox", "akia", "bearer", "://", "passw", "pwd", "secret", "token", "api")
_SHOWN_LENGTH = 64


def hidden(length: int, unit: str = "chars") -> str:
    """Return what stands in the place of a secret; how long a long one is, is told roughly."""
    if length <= _SHOWN_LENGTH:
        return f"•••••• ({length} {unit})"
    return f"•••••• (over {1 << (length - 1).bit_length() - 1} {unit})"


def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret: `db_password`, `apiKey`, `X-Auth-Token`."""
    squeezed = "".join(letter for letter in name.lower() if letter.isalnum())
    if any(each in squeezed for each in _LONG_NAMES):
        return True
    return any(word.lower() in _SHORT_NAMES for word in _WORDS.findall(name))


def without_secrets(text: str) -> str:
    """Return text with what has the form of a secret hidden; of a URL only the password."""
    lowered = text.lower()
    return _SECRETS.sub(_hide, text) if any(sign in lowered for sign in _SIGNS) else text


def _hide(found: re.Match[str]) -> str:
    if kept := found["user"]:
        return f"{kept}***"
    kept = found["bearer"] or found["name"] or ""
    return kept + hidden(len(found[0]) - len(kept))


def without_password(url: str) -> str:
    """Return a URL as it may be printed."""
    head, at, host = url.rpartition("@")
    scheme, slashes, credentials = head.partition("://")
    user, colon, _ = credentials.partition(":")
    shown = f"{scheme}{slashes}{user}{':***' if colon else ''}@{host}" if at and slashes else url
    return _PASSWORD.sub(r"\1***", shown)


def payload_without_secrets(payload: bytes) -> bytes:
    """Return a payload as it may be shown.

    JSON stays JSON, and what is not hidden stays as it is written.  Of bytes that are no
    text only the size and a hash are shown, as a JSON string.
    """
    try:
        return bytes(_shown(msgspec.Raw(payload)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return without_secrets(payload.decode()).encode()
    except UnicodeDecodeError:
        return msgspec.json.encode(f"{hidden(len(payload), 'bytes')}, sha256 {sha256(payload).hexdigest()[:12]}")


def secret_places(payload: bytes) -> list[str]:
    """Return the names in a JSON payload under which secrets stand; never the secrets."""
    try:
        return sorted({name for name, value in _named(msgspec.json.decode(payload)) if _is_secret(name, value)})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _named(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Give every plain value with the name that it stands under, at any depth."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _named(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each, name)
    else:
        yield name, value


def _is_secret(name: str, value: object) -> bool:
    if isinstance(value, str):
        return bool(value) and (is_secret_name(name) or without_secrets(value) != value)
    return isinstance(value, int | float) and not isinstance(value, bool) and is_secret_name(name)


def _shown(value: msgspec.Raw) -> msgspec.Raw:
    """Return a JSON value without its secrets; the very same one where there is none."""
    match bytes(value).lstrip()[:1]:
        case b"{":
            names = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
            shown = {name: _shown_as(name, each) for name, each in names.items()}
            return value if all(shown[name] is names[name] for name in names) else _encoded(shown)
        case b"[":
            items = msgspec.json.decode(value, type=list[msgspec.Raw])
            safe = [_shown(each) for each in items]
            return value if all(one is other for one, other in zip(items, safe, strict=True)) else _encoded(safe)
        case b'"':
            text = msgspec.json.decode(value, type=str)
            safe_text = without_secrets(text)
            return value if safe_text == text else _encoded(safe_text)
    msgspec.json.decode(value)  # raises when it is none
    return value


def _shown_as(name: str, value: msgspec.Raw) -> msgspec.Raw:
    if not is_secret_name(name) or bytes(value) in (b"null", b"true", b"false", b'""'):
        return _shown(value)
    quotes = 2 if bytes(value).startswith(b'"') else 0
    return _encoded(hidden(len(bytes(value).decode()) - quotes))


def _encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def job_without_secrets(job: Job) -> Job:
    """Return a job as it may be shown: its arguments, errors, headers and metadata without secrets."""
    return msgspec.structs.replace(
        job,
        args=payload_without_secrets(job.args),
        errors=tuple(map(_error_without_secrets, job.errors)),
        headers={
            name: hidden(len(value)) if is_secret_name(name) else without_secrets(value)
            for name, value in job.headers.items()
        },
        raw_metadata=payload_without_secrets(job.raw_metadata),
    )


def _error_without_secrets(error: AttemptError) -> AttemptError:
    return msgspec.structs.replace(error, error=without_secrets(error.error), trace=without_secrets(error.trace))
