"""hub import: carry over contacts and webhooks from a vendor's API. The key is never an argument: shells keep those."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.console import run
from hub.config.settings import Settings
from hub.model.ids import Prefix, id_text

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.moves import MovedWebhook, MoveReport, MoveWish
    from hub.flow.moving import Listeners
    from hub.flow.vendor_sources import ListName, VendorSource

#: Problems that are printed; the others are only counted. `--json` has all.
MOST_SHOWN: Final = 20
#: What `--only` chooses.
_LISTS: Final[Mapping[str, tuple[ListName, ...]]] = {
    "contacts": ("contacts", "contact_groups"),
    "webhooks": ("webhooks",),
}


@click.command(name="import")
@click.argument("vendor")
@click.option("--from", "address", default="", help="Where the vendor's API is, if not where it always was.")
@click.option("--key-file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
              help="Holds the vendor's API key, - for standard input; else VENDOR_KEY (BLOOIO_KEY) does.")  # fmt: skip
@click.option("--only", type=click.Choice(list(_LISTS)), help="Leave the rest alone.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and do nothing.")
@click.option("--secrets", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help='Secrets that receivers know already: JSON, {"https://…": "whsec_…"}.')  # fmt: skip
@click.option("--start", is_flag=True, help="Deliver at once to webhooks that got a new secret.")
@click.option("--region", default="", help="Whose national numbers to complete: two letters such as DE.")
@click.option("--patience", default=900, show_default=True, type=click.IntRange(0, 86_400),
              help="Seconds to wait in all, where the vendor asks for it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; new secrets are in it.")
@click.pass_obj
def import_from(settings: Settings, /, vendor: str, *, as_json: bool, **options: Any) -> None:
    """Carry over contacts and webhooks from VENDOR: blooio, coop, messages-dev or msgbubbles.

    Reads the vendor's API and changes nothing there. Running it again makes nothing twice.
    """
    source = _source(vendor)
    wish = _wish(settings, source, options)
    address = _address(source, options["address"])
    key = _key(source, options["key_file"])

    async def use(console: Console) -> MoveReport:
        return await _move(
            console, source, address, key, wish, patience=options["patience"], is_quiet=as_json
        )

    report = run(settings, use)
    if as_json:
        click.echo(_as_json(source, wish, report))
    else:
        _tell(source, wish, report)
    if report.problems:
        sys.exit(1)


def _source(vendor: str) -> VendorSource:
    from hub.dialects.registry import SOURCES  # noqa: PLC0415

    for each in SOURCES:
        if each.name == vendor:
            return each
    names = ", ".join(each.name for each in SOURCES)
    raise click.UsageError(f"'{vendor}' is no vendor that is known here; there are {names}.")


def _wish(settings: Settings, source: VendorSource, options: Mapping[str, Any]) -> MoveWish:
    from hub.cli.contacts import regions_of  # noqa: PLC0415
    from hub.flow.moves import MoveWish  # noqa: PLC0415

    only = options["only"]
    chosen = _LISTS[only] if only else tuple(each for lists in _LISTS.values() for each in lists)
    readable = [name for name in chosen if getattr(source, name) is not None]
    if not readable:
        raise click.ClickException(" ".join(text for name, text in source.instead.items() if name in chosen))
    return MoveWish(
        lists=readable,
        is_dry_run=options["dry_run"],
        regions=regions_of(options["region"], settings.contacts.default_region),
        secrets=_secrets(options["secrets"]),
        is_started=options["start"],
    )


def _secrets(file: Path | None) -> dict[str, str]:
    import msgspec  # noqa: PLC0415

    if file is None:
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # What is in it stays out of the message.
        raise click.UsageError(
            f'{file} must be a JSON object of addresses and their secrets: {{"https://…": "whsec_…"}}.'
        ) from None


def _address(source: VendorSource, given: str) -> str:
    address = (given or source.url or "").rstrip("/").removesuffix(source.prefix)
    if not address:
        raise click.UsageError(
            f"{source.vendor} does not publish where its API is: give it with --from https://…, as your client has it."
        )
    return address


def _key(source: VendorSource, file: Path | None) -> str:
    variable = f"{source.name.upper().replace('-', '_')}_KEY"
    if file is not None:
        with click.open_file(str(file), encoding="utf-8", errors="replace") as opened:
            return str(opened.read(8192)).strip()
    if variable in os.environ:
        return os.environ[variable].strip()
    if sys.stdin.isatty():
        return str(click.prompt(f"API key of {source.vendor}", hide_input=True, err=True)).strip()
    raise click.UsageError(
        f"Give {source.vendor}'s API key in the variable {variable}, or in a file with --key-file."
    )


async def _move(
    console: Console,
    source: VendorSource,
    address: str,
    key: str,
    wish: MoveWish,
    *,
    patience: int,
    is_quiet: bool,
) -> MoveReport:
    from hub.app.outgoing import outbound_client  # noqa: PLC0415
    from hub.flow.moved_webhooks import WebhookMover  # noqa: PLC0415
    from hub.flow.moving import Moving  # noqa: PLC0415
    from hub.outbound.vendor_calls import Patience, VendorCalls  # noqa: PLC0415

    clock = console.clock
    webhooks = WebhookMover(registry=console.webhooks, directory=console.directory, clock=clock)
    moving = Moving(store=console.store, clock=clock, new_id=console.new_id, webhooks=webhooks)
    waiting = Patience(most_seconds=patience, sleep=asyncio.sleep, now_ms=clock.now_ms, on_wait=_note)
    client = outbound_client(console.settings)
    try:
        calls = VendorCalls(client, vendor=source.vendor, address=address, key=key, patience=waiting)
        return await moving.run(source, calls.ask, wish, listeners=_listeners(is_quiet=is_quiet))
    finally:
        await client.aclose()


def _listeners(*, is_quiet: bool) -> Listeners:
    from hub.flow.moving import Listeners  # noqa: PLC0415

    return Listeners(on_progress=_note, on_made=(lambda _: None) if is_quiet else _show)


def _note(text: str) -> None:
    """Tell something on the way; what a vendor wrote must not steer the terminal."""
    click.echo("".join(each if each.isprintable() else "?" for each in text), err=True)


def _show(made: MovedWebhook) -> None:
    """Show a webhook as soon as it is there, so that no secret is lost if something ends the command."""
    number = "(dry run)" if made.id is None else id_text(Prefix.WEBHOOK, made.id)
    click.echo(f"{number}  {'active' if made.is_active else 'disabled':8} {made.url}")
    if made.secret is not None:
        click.echo(f"secret: {made.secret}")


def _tell(source: VendorSource, wish: MoveWish, report: MoveReport) -> None:
    for each in report.problems[:MOST_SHOWN]:
        where = ", ".join(filter(None, (each.id or (f"no. {each.row}" if each.row else ""), each.field)))
        value = f" ({each.value})" if each.value else ""
        _note(f"{_words(each.list)}{f' {where}' if where else ''}: {each.error}{value}")
    if len(report.problems) > MOST_SHOWN:
        _note(f"… {len(report.problems)} problems in all; --json shows them.")
    for name, text in source.instead.items():
        if name not in report.tallies or report.tallies[name].created:
            _note(text)
    if wish.is_dry_run:
        click.echo("Nothing was done; it would be:")
    for name, tally in report.tallies.items():
        merged = f", merged {tally.merged}" if tally.merged else ""
        click.echo(
            f"{_words(name)}: read {tally.read}, created {tally.created}, updated {tally.updated}, "
            f"unchanged {tally.unchanged}{merged}, failed {tally.failed}"
        )
    if any(made.secret is not None and not made.is_active for made in report.webhooks):
        click.echo(
            "Give each receiver its new secret, then `hub webhooks enable ID`: what it misses until then is held."
        )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _as_json(source: VendorSource, wish: MoveWish, report: MoveReport) -> str:
    import msgspec  # noqa: PLC0415

    document = {
        "vendor": source.name,
        "dry_run": wish.is_dry_run,
        "lists": report.tallies,
        "webhooks": [
            {
                "id": None if each.id is None else id_text(Prefix.WEBHOOK, each.id),
                "vendor_id": each.vendor_id,
                "url": each.url,
                "is_active": each.is_active,
                "secret": each.secret,
            }
            for each in report.webhooks
        ],
        "problems": report.problems,
        "instead": source.instead,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
