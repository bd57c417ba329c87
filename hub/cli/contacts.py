"""hub contacts: list, import, export. The same checks as over REST, and no key needed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

import click

from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.contact_import import ImportReport
    from hub.flow.contact_store import ContactFilter, ContactPage, ContactPlace
    from hub.flow.repositories import Store
    from hub.model.contact import Contact
    from hub.rules.contact_rows import Regions

#: Errors that are printed; the others are only counted.
MOST_SHOWN: Final = 20
_PAGE: Final = 500
_ENCODINGS: Final = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252")

_query = click.option(
    "--q", "query", default="", help="Only those whose names, handles or tags contain this."
)
_tag = click.option("--tag", "tags", multiple=True, help="Only those with this tag; repeat for several.")


@click.group()
def contacts() -> None:
    """Contacts: list, import, export."""


@contacts.command(name="list")
@_query
@_tag
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_obj
def list_contacts(settings: Settings, query: str, tags: tuple[str, ...], limit: int) -> None:
    """Show contacts by name: id, name, handles, tags."""

    async def use(console: Console) -> list[str]:
        shown: list[str] = []
        async for page in _pages(console.store, _wanted(query, tags), size=min(limit, _PAGE)):
            shown += map(_row, page.contacts)
            if len(shown) >= limit:
                break
        return shown[:limit]

    rows = run(settings, use)
    for row in rows:
        click.echo(row)
    if not rows:
        click.echo("There is none. `hub contacts import FILE` takes in a CSV or JSON file.", err=True)


@contacts.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--mode", default="upsert", show_default=True, type=click.Choice(["create", "upsert"]),
              help="create leaves contacts alone that exist; upsert adds to them.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and do nothing.")
@click.option("--region", default="", help="Whose national numbers to complete: two letters such as DE.")
@click.option(
    "--encoding", default=None, type=click.Choice(_ENCODINGS), help="Found out, if it is UTF-8 or marked."
)
@click.option(
    "--format", "form", default=None, type=click.Choice(["csv", "json"]), help="Found out, if not given."
)
@click.pass_obj
def import_contacts(  # noqa: PLR0917 - click passes each option by itself
    settings: Settings,
    file: Path,
    mode: Literal["create", "upsert"],
    dry_run: bool,
    region: str,
    encoding: str | None,
    form: Literal["csv", "json"] | None,
) -> None:
    """Take in FILE, CSV or JSON; - for standard input. Rows that are wrong are told and passed over."""
    from hub.flow.contact_import import ContactImport, ImportWish  # noqa: PLC0415
    from hub.flow.contact_reading import open_sheet  # noqa: PLC0415

    regions = regions_of(region, settings.contacts.default_region)
    wish = ImportWish(mode=mode, is_dry_run=dry_run)

    async def use(console: Console) -> ImportReport:
        importing = ContactImport(store=console.store, clock=console.clock, new_id=console.new_id)
        with _opened(file) as opened:
            sheet = open_sheet(opened, form=form, encoding=encoding, regions=regions)
            if sheet.ignored:
                click.echo(f"Ignored columns: {', '.join(sheet.ignored)}", err=True)
            with click.progressbar(length=sheet.count, label="Contacts", file=sys.stderr) as bar:
                return await importing.run(
                    sheet.rows, wish, on_progress=lambda report: bar.update(report.rows - bar.pos)
                )

    _tell(run(settings, use), is_dry_run=dry_run)


@contacts.command(name="export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format", "form", default="csv", show_default=True, type=click.Choice(["csv", "json"]), help="As what."
)
@_query
@_tag
@click.pass_obj
def export_contacts(
    settings: Settings, file: Path, form: Literal["csv", "json"], query: str, tags: tuple[str, ...]
) -> None:
    """Write contacts into FILE, or to standard output."""

    async def use(console: Console) -> int:
        count = 0
        with click.open_file(str(file), "wb", atomic=str(file) != "-") as written:
            async for piece, more in _pieces(console.store, _wanted(query, tags), form):
                await asyncio.to_thread(written.write, piece)
                count += more
                if str(file) != "-" and sys.stderr.isatty():
                    click.echo(f"\r{count} contacts", err=True, nl=False)
        return count

    count = run(settings, use)
    if str(file) != "-":
        click.echo(f"{count} contacts are in {file}.")


def _wanted(query: str, tags: tuple[str, ...]) -> ContactFilter:
    from hub.flow.contact_store import ContactFilter, ContactOrder  # noqa: PLC0415
    from hub.rules.contacts import read_tag, search_needle  # noqa: PLC0415

    read: list[str] = []
    for tag in map(read_tag, tags):
        if not isinstance(tag, str):
            raise click.UsageError(str(tag))
        read.append(tag)
    return ContactFilter(order=ContactOrder.NAME_ASC, needle=search_needle(query), tags=tuple(read))


def regions_of(region: str, hinted: str) -> Regions:
    """Say of which country numbers may be, or that there is no such country."""
    from hub.rules.contact_rows import Regions  # noqa: PLC0415
    from hub.rules.phone_numbers import check_region  # noqa: PLC0415

    checked = check_region(region) if region else ""
    if not isinstance(checked, str):
        raise click.UsageError(str(checked))
    return Regions(completing=checked, hinted=hinted)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Open a file so that it can be read twice; standard input is put aside first."""
    if str(file) != "-":
        with file.open("rb") as opened:
            yield opened
        return
    with tempfile.TemporaryFile() as aside:
        shutil.copyfileobj(sys.stdin.buffer, aside)
        yield aside


def _tell(report: ImportReport, *, is_dry_run: bool) -> None:
    """Say what became of the file; the command fails if a row did."""
    for each in report.errors[:MOST_SHOWN]:
        where = f"row {each.row}" + (f", {each.field}" if each.field else "")
        click.echo(f"{where}: {each.error}" + (f" ({each.value})" if each.value else ""), err=True)
    if report.failed > MOST_SHOWN:
        click.echo(f"… {report.failed} rows are wrong in all.", err=True)
    counts = f"created {report.created}, updated {report.updated}, unchanged {report.unchanged}, failed {report.failed}"
    click.echo(f"{'Nothing was done; it would be: ' if is_dry_run else ''}{counts}")
    if report.failed:
        sys.exit(1)


async def _pages(store: Store, wanted: ContactFilter, *, size: int = _PAGE) -> AsyncIterator[ContactPage]:
    place: ContactPlace | None = None
    while True:
        page = await store.contacts.page(wanted, after=place, limit=size)
        yield page
        place = page.next
        if place is None:
            return


async def _pieces(
    store: Store, wanted: ContactFilter, form: Literal["csv", "json"]
) -> AsyncIterator[tuple[bytes, int]]:
    """Give the file in pieces, each with its number of contacts."""
    from hub.api.contact_files import HEAD, TAIL, written  # noqa: PLC0415 - as over REST

    is_first = True
    yield HEAD[form], 0
    async for page in _pages(store, wanted):
        last = await store.contacts.last_messages([each.id for each in page.contacts], line_ids=None)
        yield written(form, page.contacts, last, is_first=is_first), len(page.contacts)
        is_first = is_first and not page.contacts
    yield TAIL[form], 0


def _row(contact: Contact) -> str:
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    handles = ", ".join(each.handle for each in contact.handles)
    tags = f"  [{','.join(each.tag for each in contact.tags)}]" if contact.tags else ""
    return f"{id_text(Prefix.CONTACT, contact.id)}  {contact.shown_name or contact.organization or ''}  {handles}{tags}"
