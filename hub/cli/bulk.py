"""hub bulk: send to many from a table, watch it, pause, resume, cancel. The checks are those of REST; no key needed."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.bulk import Watched
    from hub.flow.bulk_reading import Checked
    from hub.model.bulk import BulkJob
    from hub.model.line import Line
    from hub.model.template import Template

#: Problems that are printed; the others are only counted.
MOST_SHOWN: Final = 20
_LOOK_SECONDS: Final = 1.0
_PAGE: Final = 500
#: Statuses with which somebody has still to be dealt with.
_AHEAD: Final = ("waiting", "queued")

#: A value by its name.
_NAMED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")

_job_argument = click.argument("job", metavar="ID")


@click.group()
def bulk() -> None:
    """Send to many: from a table, with progress, pause and cancel."""


@bulk.command()
@click.argument("file", type=click.File("rb"))
@click.option("--from", "line_handle", required=True, help="The line that sends.")
@click.option(
    "--text", default=None, help="For all, with gaps such as {{name}} or {{name|there}} for columns."
)
@click.option("--template", default=None, help="The name of a template, in the place of --text.")
@click.option("--language", default=None, help="The template's language, as the network writes it: en_US.")
@click.option(
    "--value",
    "values",
    multiple=True,
    help="What fills a blank, in their order or as NAME=TEXT; with gaps such as {{name}}. Without any, the columns "
    "1, 2, … fill them.",
)
@click.option("--name", default=None, help="What you call this send.")
@click.option(
    "--rate", "rate_per_minute", type=click.IntRange(1, 6000), help="At most so many recipients a minute."
)
@click.option(
    "--priority",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="Higher goes first on the line.",
)
@click.option("--skip-invalid", is_flag=True, help="Send to the good rows, and leave the others out.")
@click.option("--dry-run", is_flag=True, help="Check everything; send nothing.")
@click.option("--no-wait", is_flag=True, help="Do not watch the progress.")
@click.pass_obj
def send(  # noqa: PLR0917 - click passes each option by itself
    settings: Settings,
    file: BinaryIO,
    line_handle: str,
    text: str | None,
    template: str | None,
    language: str | None,
    values: tuple[str, ...],
    name: str | None,
    rate_per_minute: int | None,
    priority: int,
    skip_invalid: bool,
    dry_run: bool,
    no_wait: bool,
) -> None:
    """Send to the recipients in FILE, a CSV table with a column `to`; - for standard input."""
    from hub.flow.bulk import BulkWish  # noqa: PLC0415
    from hub.flow.bulk_reading import table_of  # noqa: PLC0415

    approved = _template(template, language, values)
    table = _table(file)

    async def use(console: Console) -> tuple[BulkJob, Checked]:
        wish = BulkWish(
            line=_line(console, line_handle),
            name=name,
            text=text,
            template=approved,
            recipients=table_of(table),
            rate_per_minute=rate_per_minute,
            priority=priority,
            is_skipping_invalid=skip_invalid,
            is_dry_run=dry_run,
        )
        return await console.bulk.make(wish, api_key_id=None)

    job, checked = run(settings, use)
    _tell(checked)
    if dry_run:
        for each in checked.recipients[:5]:
            click.echo(f"{each.handle}: {each.text}")
        click.echo(f"Nothing was sent; it would go to {job.total_count} recipients.")
        return
    click.echo(f"{_id(job)}: {job.total_count} recipients. The hub sends in the background.")
    if not no_wait and sys.stderr.isatty():
        _watch(settings, job)


def _template(name: str | None, language: str | None, values: tuple[str, ...]) -> Template | None:
    """Read the template's options."""
    import msgspec  # noqa: PLC0415

    from hub.model.template import Template  # noqa: PLC0415

    if name is None:
        if language is not None or values:
            raise click.UsageError("--language and --value belong to a --template.")
        return None
    if language is None:
        raise click.UsageError("A template needs its --language, as the network writes it: en_US.")
    named = dict(each.split("=", 1) for each in values if _NAMED.match(each))
    if named and len(named) != len(values):
        raise click.UsageError("Give all values by name (NAME=TEXT), each once, or none.")
    try:
        return msgspec.convert(
            {"name": name, "language": language, "values": named or list(values)}, Template
        )
    except msgspec.ValidationError as error:
        raise click.UsageError(f"The template cannot be one: {error}".replace("`", "'")) from None


def _table(file: BinaryIO) -> str:
    raw = file.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"The table is not UTF-8: byte {error.start} cannot be read.") from None


def _line(console: Console, handle: str) -> Line:
    lines = console.directory.current.lines_by_handle
    if handle not in lines:
        raise click.UsageError(f"There is no line {handle}. There are: {', '.join(sorted(lines)) or 'none'}.")
    return lines[handle]


def _tell(checked: Checked) -> None:
    for each in checked.problems[:MOST_SHOWN]:
        click.echo(f"{each.place}, {each.field}: {each.message}", err=True)
    if checked.problem_count > MOST_SHOWN:
        click.echo(f"… {checked.problem_count} rows are left out in all.", err=True)
    if checked.duplicate_count:
        click.echo(f"{checked.duplicate_count} named twice get one message.", err=True)


@bulk.command(name="list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.pass_obj
def list_bulk(settings: Settings, limit: int) -> None:
    """Show bulk sends, newest first."""

    async def use(console: Console) -> list[str]:
        lines = console.directory.current.lines_by_id
        jobs = await console.bulk.page(lines, after=None, limit=limit)
        return [_row(each) for each in await console.bulk.watch(jobs)]

    rows = run(settings, use)
    for row in rows:
        click.echo(row)
    if not rows:
        click.echo("There is none. `hub bulk send FILE --from LINE --text TEXT` makes one.", err=True)


@bulk.command()
@_job_argument
@click.option("--watch", is_flag=True, help="Stay, and show the progress.")
@click.pass_obj
def show(settings: Settings, job: str, *, watch: bool) -> None:
    """Show one bulk send and how far it is."""
    watched = run(settings, lambda console: _find(console, job))
    click.echo(_row(watched))
    if watch:
        _watch(settings, watched.job)


@bulk.command()
@_job_argument
@click.pass_obj
def pause(settings: Settings, job: str) -> None:
    """Begin nothing more for now."""

    async def use(console: Console) -> BulkJob:
        return await console.bulk.pause((await _find(console, job)).job.id)

    click.echo(f"{_id(run(settings, use))} is paused; what is under way still goes out.")


@bulk.command()
@_job_argument
@click.pass_obj
def resume(settings: Settings, job: str) -> None:
    """Go on."""

    async def use(console: Console) -> BulkJob:
        return await console.bulk.resume((await _find(console, job)).job.id)

    click.echo(f"{_id(run(settings, use))} goes on.")


@bulk.command()
@_job_argument
@click.pass_obj
def cancel(settings: Settings, job: str) -> None:
    """Send nothing more."""

    async def use(console: Console) -> Watched:
        found = (await _find(console, job)).job
        line = console.directory.current.lines_by_id.get(found.line_id)
        await console.bulk.cancel(found.id, line)
        return await _find(console, job)

    click.echo(_row(run(settings, use)))


@bulk.command()
@_job_argument
@click.option("--status", default=None, help="Only those: sent, delivered, read, failed, skipped, …")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A CSV file.")
@click.pass_obj
def results(settings: Settings, job: str, status: str | None, output: Path | None) -> None:
    """Show recipients with what became of their messages, as CSV."""
    from hub.api.bulk_shapes import CSV_HEADINGS, csv_row  # noqa: PLC0415 - as over REST
    from hub.rules.contact_export import csv_lines  # noqa: PLC0415

    async def use(console: Console) -> None:
        found = (await _find(console, job)).job
        with click.open_file("-" if output is None else str(output), "w", encoding="utf-8") as written:
            written.write(csv_lines([CSV_HEADINGS]))
            after: int | None = None
            while page := await console.bulk.results(found, status=status, after=after, limit=_PAGE):
                written.write(csv_lines([csv_row(row) for row in page]))
                after = page[-1].recipient.position

    run(settings, use)


async def _find(console: Console, text: str) -> Watched:
    from hub.model.ids import InvalidId, Prefix, parse_id  # noqa: PLC0415

    try:
        job_id = parse_id(Prefix.BULK, text)
    except InvalidId:
        raise click.UsageError(f"'{text}' is no id of a bulk send; `hub bulk list` shows them.") from None
    (watched,) = await console.bulk.watch([await console.bulk.get(job_id)])
    return watched


def _watch(settings: Settings, job: BulkJob) -> None:
    """Show the progress until everybody has been dealt with; leaving early stops nothing."""

    async def use(console: Console) -> Watched:
        with click.progressbar(length=job.total_count, label="Recipients", file=sys.stderr) as bar:
            while True:
                watched = await _find(console, _id(job))
                done = job.total_count - sum(watched.tally.get(status, 0) for status in _AHEAD)
                bar.update(done - bar.pos)
                if watched.job.state != "running":
                    return watched
                await asyncio.sleep(_LOOK_SECONDS)

    try:
        click.echo(_row(run(settings, use)))
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo(f"\nThe hub goes on sending. `hub bulk show {_id(job)} --watch` looks again.", err=True)


def _id(job: BulkJob) -> str:
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    return id_text(Prefix.BULK, job.id)


def _row(watched: Watched) -> str:
    job = watched.job
    counts = ", ".join(f"{count} {status}" for status, count in sorted(watched.tally.items()))
    name = f"  {job.name}" if job.name else ""
    return f"{_id(job)}  {job.state}{name}  {job.total_count} recipients: {counts}"
