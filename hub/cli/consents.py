"""hub consents: who may be written to. The same rules as over REST, and no key needed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.consent_import import ImportReport
    from hub.flow.safety_repositories import ConsentFilter
    from hub.model.consent import Consent, ConsentEntry
    from hub.model.line import Line

_PAGE: Final = 500
#: Errors that are printed; the others are only counted.
MOST_SHOWN: Final = 20
ALL_LINES: Final = "*"

_line = click.option(
    "--line", default=ALL_LINES, show_default=True, help="Handle or id of a line; * for every line."
)
_state = click.Choice(["opted_out", "opted_in"])


@click.group()
def consents() -> None:
    """Consent: who opted out or in, who said so, and when."""


@consents.command(name="list")
@_line
@click.option("--state", type=_state, help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_obj
def list_consents(settings: Settings, line: str, state: str | None, limit: int) -> None:
    """Show where handles stand, newest first."""

    async def use(console: Console) -> list[str]:
        from hub.flow.safety_repositories import ConsentFilter  # noqa: PLC0415
        from hub.model.consent import ConsentAction  # noqa: PLC0415

        found = await _find(console, line)
        wanted = ConsentFilter(
            line_ids=None if found is None else frozenset({found.id}),
            action=None if state is None else ConsentAction(state),
        )
        names = await _names(console)
        listed = await console.store.consents.list(wanted, after=None, limit=limit)
        return [_row(each, names) for each in listed]

    rows = run(settings, use)
    for row in rows:
        click.echo(row)
    if not rows:
        click.echo("Nobody has said anything about consent.", err=True)


@consents.command()
@click.argument("handle")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.pass_obj
def show(settings: Settings, handle: str, limit: int) -> None:
    """Show everything that was said about HANDLE, newest first."""

    async def use(console: Console) -> list[str]:
        from hub.flow.consent import read_handle  # noqa: PLC0415
        from hub.flow.safety_repositories import ConsentFilter  # noqa: PLC0415

        wanted = ConsentFilter(handle=read_handle(handle))
        names = await _names(console)
        history = await console.store.consents.history(wanted, after=None, limit=limit)
        return [_entry_row(each, names) for each in history]

    rows = run(settings, use)
    for row in rows:
        click.echo(row)
    if not rows:
        click.echo(f"{handle} has said nothing about consent, so it may be written to.", err=True)


@consents.command(name="set")
@click.argument("handle")
@click.argument("state", type=_state)
@click.option("--reason", required=True, help="Why, for the log: at most 500 characters.")
@_line
@click.pass_obj
def set_consent(settings: Settings, handle: str, state: str, reason: str, line: str) -> None:
    """Record that HANDLE opted out or in elsewhere."""
    if not 1 <= len(reason) <= 500:
        raise click.BadParameter("at most 500 characters, and at least one.", param_hint="--reason")

    async def use(console: Console) -> Consent | None:
        from hub.flow.consent import ConsentWish, read_handle  # noqa: PLC0415
        from hub.model.consent import ConsentAction, ConsentSource  # noqa: PLC0415
        from hub.rules.consent import decisive  # noqa: PLC0415

        found = await _find(console, line)
        wish = ConsentWish(
            line=found,
            handle=read_handle(handle),
            action=ConsentAction(state),
            source=ConsentSource.OPERATOR,
            reason=reason,
        )
        await console.consents.record([wish])
        return decisive(await console.consents.standing(found, wish.handle))

    stands = run(settings, use)
    click.echo(f"{handle} is {'unknown' if stands is None else stands.action.value}.")


@consents.command(name="export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--format", "form", default="csv", show_default=True, type=click.Choice(["csv", "json"]),
              help="As what.")  # fmt: skip
@_line
@click.pass_obj
def export_consents(settings: Settings, file: Path, form: Literal["csv", "json"], line: str) -> None:
    """Write the whole log into FILE, or to standard output; oldest first."""

    async def use(console: Console) -> int:
        from hub.api.consent_files import pieces  # noqa: PLC0415 - as over REST
        from hub.flow.safety_repositories import ConsentFilter  # noqa: PLC0415

        found = await _find(console, line)
        wanted = ConsentFilter(line_ids=None if found is None else frozenset({found.id}))
        count = 0

        async def pages() -> AsyncIterator[list[ConsentEntry]]:
            nonlocal count
            async for page in _pages(console, wanted):
                count += len(page)
                yield page

        with click.open_file(str(file), "wb", atomic=str(file) != "-") as written:
            async for piece in pieces(form, pages()):
                written.write(piece)
        return count

    count = run(settings, use)
    if str(file) != "-":
        click.echo(f"{count} entries are in {file}.")


@consents.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what is wrong, and record nothing.")
@_line
@click.pass_obj
def import_consents(settings: Settings, file: Path, dry_run: bool, line: str) -> None:
    """Take in FILE, CSV with a `handle` column; - for standard input. Rows that are wrong are told and passed over."""
    rows = _read(file)

    async def use(console: Console) -> ImportReport:
        from hub.flow.consent import read_handle  # noqa: PLC0415
        from hub.flow.consent_import import ConsentImport  # noqa: PLC0415

        found = await _find(console, line)
        named = await _by_name(console)
        importer = ConsentImport(
            console.consents,
            find_line=lambda text: _named(named, text),
            read_handle=read_handle,
            default_line=found,
            api_key_id=None,
        )
        return await importer.run(rows, is_dry_run=dry_run)

    report = run(settings, use)
    for each in report.errors[:MOST_SHOWN]:
        click.echo(f"row {each.row}, {each.field}: {each.error}", err=True)
    if report.failed > MOST_SHOWN:
        click.echo(f"… {report.failed} rows are wrong in all.", err=True)
    counts = f"changed {report.changed}, unchanged {report.unchanged}, failed {report.failed}"
    click.echo(f"{'Nothing was recorded: ' if dry_run else ''}{counts}")
    if report.failed:
        sys.exit(1)


def _read(file: Path) -> list[tuple[int, dict[str, str]]]:
    from hub.rules.consent_rows import read_csv  # noqa: PLC0415

    try:
        with click.open_file(str(file), "rb") as opened:
            return list(read_csv(opened.read().decode("utf-8-sig")))
    except (UnicodeDecodeError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}.") from None


async def _find(console: Console, text: str) -> Line | None:
    if text == ALL_LINES:
        return None
    named = await _by_name(console)
    if text not in named:
        known = ", ".join(sorted(line.handle for line in set(named.values()))) or "none"
        raise click.UsageError(f"No line {text}. There are: {known}.")
    return named[text]


def _named(named: dict[str, Line], text: str) -> Line | None:
    from hub.model.errors import InvalidRequest  # noqa: PLC0415

    if text != ALL_LINES and text not in named:
        raise InvalidRequest("line_not_found", f"No line {text}.", param="from")
    return named.get(text)


async def _by_name(console: Console) -> dict[str, Line]:
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    lines = await console.store.lines.all()
    return {name: line for line in lines for name in (line.handle, id_text(Prefix.LINE, line.id))}


async def _names(console: Console) -> dict[int, str]:
    return {line.id: line.handle for line in await console.store.lines.all()}


async def _pages(console: Console, wanted: ConsentFilter) -> AsyncIterator[list[ConsentEntry]]:
    after = 0
    while page := list(await console.store.consents.page(wanted, after=after, limit=_PAGE)):
        yield page
        after = page[-1].id


def _row(consent: Consent, names: dict[int, str]) -> str:
    where = _where(consent, names)
    return f"{consent.handle:24} {consent.action.value:9} {where:18} {_time(consent.said_at)}  {consent.source.value}"


def _entry_row(entry: ConsentEntry, names: dict[int, str]) -> str:
    why = entry.reason or entry.keyword or ""
    mark = "" if entry.is_applied else "  (changed nothing)"
    head = f"{_time(entry.said_at)}  {entry.action.value:9} {_where(entry, names):18} {entry.source.value:8}"
    return f"{head} {why}{mark}".rstrip()


def _where(said: Any, names: dict[int, str]) -> str:
    return names.get(said.scope_line_id, "every line" if not said.scope_line_id else "a former line")


def _time(ms: int) -> str:
    return (
        datetime.fromtimestamp(ms / 1000, UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    )
