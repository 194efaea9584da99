"""What looks like a secret, and what is shown in its place (spec/dashboard.md 3.5).

A value is one by the name it stands under, at any depth, or by its own form: a token, a
key of a known provider, a password in a URL.  A `Redaction` says which names count, and of
which kinds of jobs nothing is shown; everything that shows what jobs carry or what errors
say asks one.  The best advice stays another: put ids into jobs, no secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec

from ferryman.job import AttemptError, Job

__all__ = ["USUAL", "Redact", "Redaction", "hidden", "without_password"]

Redact = Callable[[str, Any], Any]
"""Is given the kind of a job and its arguments, and returns these as they may be shown."""

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
# Within a text, these and a sign of equality tell that a secret follows.
_TEXT_NAMES = ("password", "passwd", "pwd", "secret", "token", "api_key")

_PASSWORD = re.compile(r"(password=)[^&]*", re.IGNORECASE)
_FORMS = r"""
      -----BEGIN[ ][A-Z ]+-----.*?(?:-----END[ ][A-Z ]+-----|\Z)
    | \beyJ[\w-]+\.[\w-]+\.[\w-]*
    | \bsk-[\w-]{16,} | \bgh[a-z]_\w{16,} | \bgithub_pat_\w{16,} | \bxox[a-z]-[\w-]{10,} | \bAKIA[0-9A-Z]{16}
    | (?P<bearer>\b[Bb]earer\s+)[\w.~+/=-]{8,}
    | (?P<user>\b[a-zA-Z][\w+.-]*://[^\s:/@'"]*:)[^\s/?\#'"]+(?=@)
    | (?P<name>(?i:NAMES)(?:\s*=\s*|["']\s*[:=]\s*))
      (?:"[^"•]+" | '[^'•]+' | [^\s"',;&)}\]•*]+)
"""
_NEVER = r"(?!)"
# To look for these first is a hundred times as fast, and a long traceback seldom has any.
_SIGNS = ("-----begin", "eyj", "sk-", "gh", "xox", "akia", "bearer", "://")
_SHOWN_LENGTH = 64


def hidden(length: int, unit: str = "chars") -> str:
    """Return what stands in the place of a secret; how long a long one is, is told roughly."""
    if length <= _SHOWN_LENGTH:
        return f"•••••• ({length} {unit})"
    return f"•••••• (over {1 << (length - 1).bit_length() - 1} {unit})"


def without_password(url: str) -> str:
    """Return a URL as it may be printed, one without its scheme too."""
    head, at, host = url.rpartition("@")
    begin = head.find("://") + 3 if "://" in head else 0
    user, colon, _ = head[begin:].partition(":")
    shown = f"{head[:begin]}{user}{':***' if colon else ''}@{host}" if at else url
    return _PASSWORD.sub(r"\1***", shown)


@dataclass(frozen=True)
class Redaction:
    """What is hidden.

    `hide_names` are names beside the usual ones and `show_names` are left out of them, both without regard to
    case and separators.  Of the arguments of kinds that fit `hide_args`, such as `payment:*`, nothing is
    shown.  `redact` changes those of any job before they are shown.
    """

    hide_names: Collection[str] = ()
    show_names: Collection[str] = ()
    hide_args: Collection[str] = ()
    redact: Redact | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a name has in it for what stands under it to be hidden."""
        return (*self._long_names, *sorted(self._short_names))

    def is_secret_name(self, name: str) -> bool:
        """Whether what stands under this name is a secret: `db_password`, `apiKey`, `X-Auth-Token`."""
        squeezed = _squeezed(name)
        if squeezed in self._shown_names:
            return False
        if any(each in squeezed for each in self._long_names):
            return True
        return any(word.lower() in self._short_names for word in _WORDS.findall(name))

    def text(self, text: str) -> str:
        """Return text with what has the form of a secret hidden; of a URL only the password."""
        lowered = text.lower()
        return self._secrets.sub(_hide, text) if any(sign in lowered for sign in self._signs) else text

    def job(self, job: Job) -> Job:
        """Return a job as it may be shown: its arguments, errors, headers and metadata without secrets."""
        return msgspec.structs.replace(
            job,
            args=self.args(job.kind, job.args),
            errors=tuple(map(self._error, job.errors)),
            headers={
                name: hidden(len(value)) if self.is_secret_name(name) else self.text(value)
                for name, value in job.headers.items()
            },
            raw_metadata=self.payload(job.raw_metadata),
        )

    def args(self, kind: str, args: bytes) -> bytes:
        """Return the arguments of a job of this kind as they may be shown; JSON stays JSON."""
        if self.hides_args_of(kind):
            return msgspec.json.encode(hidden(len(args), "bytes"))
        return self.payload(args if self.redact is None else self._redacted(self.redact, kind, args))

    def hides_args_of(self, kind: str) -> bool:
        """Whether nothing is shown of what jobs of this kind carry."""
        return any(fnmatchcase(kind, pattern) for pattern in self.hide_args)

    def payload(self, payload: bytes) -> bytes:
        """Return a payload as it may be shown.

        JSON stays JSON, and what is not hidden stays as it is written.  Of bytes that are no
        text only the size and a hash are shown, as a JSON string.
        """
        try:
            return bytes(self._value(msgspec.Raw(payload)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        try:
            return self.text(payload.decode()).encode()
        except UnicodeDecodeError:
            return msgspec.json.encode(f"{hidden(len(payload), 'bytes')}, sha256 {sha256(payload).hexdigest()[:12]}")

    def guesses(self, paths: Collection[str], kinds: Collection[str]) -> str | None:
        """Say why jobs of these kinds are not looked for by arguments: what is hidden could be guessed, value by value.

        None where nothing speaks against it.
        """
        names = (path for path in paths if any(map(self.is_secret_name, path.split("."))))
        if (secret := next(names, None)) is not None:
            return f'What stands under "{secret}" is hidden, so no jobs are looked for by it.'
        if paths and self.redact is not None:
            return "The program changes arguments before they are shown, so no jobs are looked for by them."
        if paths and self.hide_args and not (kinds and not any(map(self.hides_args_of, kinds))):
            hides = ", ".join(self.hide_args)
            return f"What jobs of kind {hides} carry is hidden, so looking by arguments takes a kind of the others too."
        return None

    def secret_places(self, payload: bytes) -> list[str]:
        """Return the names in a JSON payload under which secrets stand; never the secrets."""
        try:
            found = _named(msgspec.json.decode(payload))
            return sorted({name for name, value in found if self._is_secret(name, value)})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []

    @cached_property
    def _shown_names(self) -> frozenset[str]:
        return frozenset(map(_squeezed, self.show_names))

    @cached_property
    def _long_names(self) -> tuple[str, ...]:
        wanted = (*_LONG_NAMES, *filter(None, map(_squeezed, self.hide_names)))
        return tuple(name for name in wanted if name not in self._shown_names)

    @cached_property
    def _short_names(self) -> frozenset[str]:
        return _SHORT_NAMES - self._shown_names

    @cached_property
    def _text_names(self) -> list[list[str]]:
        """The names that tell of a secret within a text, each as its words."""
        wanted = (*_TEXT_NAMES, *self.hide_names)
        return [words for name in wanted if _squeezed(name) not in self._shown_names and (words := _words(name))]

    @cached_property
    def _secrets(self) -> re.Pattern[str]:
        names = "|".join("[_-]?".join(words) for words in self._text_names) or _NEVER
        return re.compile(_FORMS.replace("NAMES", names), re.VERBOSE | re.DOTALL)

    @cached_property
    def _signs(self) -> tuple[str, ...]:
        return (*_SIGNS, *(words[0].lower() for words in self._text_names))

    def _error(self, error: AttemptError) -> AttemptError:
        return msgspec.structs.replace(error, error=self.text(error.error), trace=self.text(error.trace))

    def _redacted(self, redact: Redact, kind: str, args: bytes) -> bytes:
        try:
            given = msgspec.json.decode(args)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return args  # no JSON is no business of the program's function
        try:
            return msgspec.json.encode(redact(kind, given))
        except Exception:  # whatever is wrong with it, nothing may be seen through the hole
            return msgspec.json.encode(hidden(len(args), "bytes"))

    def _is_secret(self, name: str, value: object) -> bool:
        if isinstance(value, str):
            return bool(value) and (self.is_secret_name(name) or self.text(value) != value)
        return isinstance(value, int | float) and not isinstance(value, bool) and self.is_secret_name(name)

    def _value(self, value: msgspec.Raw) -> msgspec.Raw:
        """Return a JSON value without its secrets; the very same one where there is none."""
        match bytes(value).lstrip()[:1]:
            case b"{":
                names = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
                shown = {name: self._value_of(name, each) for name, each in names.items()}
                return value if all(shown[name] is names[name] for name in names) else _encoded(shown)
            case b"[":
                items = msgspec.json.decode(value, type=list[msgspec.Raw])
                safe = [self._value(each) for each in items]
                return value if all(one is other for one, other in zip(items, safe, strict=True)) else _encoded(safe)
            case b'"':
                text = msgspec.json.decode(value, type=str)
                safe_text = self.text(text)
                return value if safe_text == text else _encoded(safe_text)
        msgspec.json.decode(value)  # raises when it is none
        return value

    def _value_of(self, name: str, value: msgspec.Raw) -> msgspec.Raw:
        if not self.is_secret_name(name) or bytes(value) in (b"null", b"true", b"false", b'""'):
            return self._value(value)
        quotes = 2 if bytes(value).startswith(b'"') else 0
        return _encoded(hidden(len(bytes(value).decode()) - quotes))


USUAL = Redaction()
"""What is hidden where nobody said otherwise."""


def _squeezed(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name)


def _hide(found: re.Match[str]) -> str:
    if kept := found["user"]:
        return f"{kept}***"
    kept = found["bearer"] or found["name"] or ""
    return kept + hidden(len(found[0]) - len(kept))


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


def _encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
