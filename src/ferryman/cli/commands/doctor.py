"""`ferryman doctor`: what may lose, delay or hide jobs, with a line to copy that helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import click
import msgspec

from ferryman.cli.examination import application, examine
from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, Row, plain, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.findings import Finding, Level

__all__ = ["doctor"]

_ERROR, _WARNINGS_ONLY = 1, 8
_MARKS = {Level.OK: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.ERROR: ("✕", "red")}


@command(
    "doctor",
    examples=[
        "ferryman doctor",
        "ferryman doctor --app app.main:jobs --strict",
        "ferryman doctor --json --skip R-REPLICA",
        "ferryman doctor --fix-sql",
    ],
)
@click.option("--strict", is_flag=True, help="Exit with 8 when there are warnings.")
@click.option(
    "--only", multiple=True, metavar="ID", help="Show this check only, such as R-EVICT, or R for all of Redis."
)
@click.option("--skip", multiple=True, metavar="ID", help="Leave this check out.")
@click.option("--fix-sql", is_flag=True, help="Write only the SQL that mends what it can; the rest is said on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="Show also what is in order.")
@click.pass_obj
def doctor(
    session: Session, strict: bool, only: Sequence[str], skip: Sequence[str], fix_sql: bool, verbose: bool
) -> int:
    """Look for what may lose, delay or hide jobs.

    Exits with 1 when something is wrong. FERRYMAN_ENV=development asks less of the storage.
    """
    findings = [
        msgspec.structs.replace(found, fix=session.to_type(found.fix))
        for found in examine(session)
        if _is_wanted(found, only, skip)
    ]
    if fix_sql:
        _write_sql(session, [found for found in findings if found.level is not Level.OK])
    elif session.format in ("table", "wide"):
        _draw(session, findings, verbose=verbose or session.format == "wide")
    else:
        show(session, FINDINGS, findings)
    levels = {found.level for found in findings}
    if Level.ERROR in levels:
        return _ERROR
    return _WARNINGS_ONLY if strict and Level.WARNING in levels else 0


def _is_wanted(found: Finding, only: Sequence[str], skip: Sequence[str]) -> bool:
    def named(ids: Iterable[str]) -> bool:
        return any(found.id == id.upper() or found.id.startswith(f"{id.upper()}-") for id in ids)

    return (not only or named(only)) and not named(skip)


def _draw(session: Session, findings: Sequence[Finding], *, verbose: bool) -> None:
    """Write the storage's part and the application's, each under its title."""
    parts: list[tuple[str, Callable[[Finding], bool]]] = [
        (f"storage {session.place}", lambda found: not application(found)),
        (f"application {session.app_name or ''}".rstrip(), application),
    ]
    for title, belongs in parts:
        there = [found for found in findings if belongs(found)]
        if not there:
            continue
        session.note(title)
        # Where one step of a check failed, those before it tell how far it got.
        wrong = {found.id for found in there if found.level is not Level.OK}
        show(session, FINDINGS, [found for found in there if verbose or found.id in wrong])
        good = sum(found.id not in wrong for found in there)
        if good and not verbose:
            session.note(f" ✓ {good} checks passed (show with -v)")
    session.note(_sum(findings))


def _write_sql(session: Session, wrong: Sequence[Finding]) -> None:
    """Write what an owner of the tables may run, and say beside it what has to be mended in another way."""
    show(session, MENDING, [found for found in wrong if found.sql])
    for found in wrong:
        if not found.sql:
            session.note(f"No SQL mends {found.id}: {found.text}" + (f". To fix it: {found.fix}" if found.fix else ""))


def _sum(findings: Sequence[Finding]) -> str:
    errors = [found for found in findings if found.level is Level.ERROR]
    counts = {
        "storage error": sum(not application(found) for found in errors),
        "application error": sum(map(application, errors)),
        "warning": sum(found.level is Level.WARNING for found in findings),
    }
    said = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count]
    return ", ".join(said) or "Nothing is wrong."


def _view(found: Finding) -> Row:
    area = "application" if application(found) else "storage"
    return {"id": found.id, "level": found.level, "area": area, "text": found.text, "fix": found.fix or None}


def _lines(found: Finding, times: Times) -> Iterator[str]:
    mark, color = _MARKS[found.level]
    yield f" {click.style(mark, fg=color)} {found.id:10} {plain(found.text)}"
    if found.fix:
        yield f"{'':14}fix: {plain(found.fix)}"


FINDINGS = Listing[Finding](_view, lambda found: found.id, lines=_lines)
MENDING = Listing[Finding](_view, lambda found: found.id, lines=lambda found, times: [plain(found.sql)])
