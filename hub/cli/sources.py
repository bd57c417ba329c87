"""hub sources: which services may tell what happened, what was turned away, and whether a source would believe."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.console import run
from hub.cli.history import shown_time
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.model.source import Rejection
    from hub.rules.sources.intake import Judgement
    from hub.rules.sources.model import Source, SourceRequest


@click.group()
def sources() -> None:
    """Sources: list them, see what was rejected, try one."""


@sources.command(name="list")
@click.pass_obj
def list_sources(settings: Settings) -> None:
    """Show the sources of connections.yaml, and the address that each service must be told."""
    found = _load(settings)
    if not found:
        click.echo(f"No source is set up in {settings.connections_file}; docs/inbound-sources.md tells how.")
    for each in found:
        if each.definition.check.uses_url and settings.web.base_url is None:
            click.echo(
                f"{each.name}: set web.base_url; {each.definition.title} signs the URL that it calls.",
                err=True,
            )
        count = len(each.secrets)
        secrets = "no secret yet" if not count else "1 secret" if count == 1 else f"{count} secrets"
        click.echo(f"{each.name:20} {each.definition.title:24} {secrets:14} {_url(settings, each)}")


@sources.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100), default=10, help="How many at the most.")
@click.pass_obj
def rejected(settings: Settings, name: str, limit: int) -> None:
    """Show the newest requests to the source NAME that were turned away, and why; bodies are masked."""

    async def use(console: Console) -> list[Rejection]:
        return await console.store.rejections.page(name, after=None, limit=limit)

    found = run(settings, use)
    if not found:
        click.echo(f"Nothing that came to {name} was turned away, or it is no longer kept.")
    for each in found:
        click.echo(f"{shown_time(each.rejected_at)}  {each.reason}  {each.method}  {each.body_bytes} bytes")
        click.echo(f"  {each.detail}\n  {each.headers}\n  {each.body}")


@sources.command()
@click.argument("name")
@click.option(
    "--body", "path", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A body to try."
)
@click.option(
    "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header that the service sends."
)
@click.pass_obj
def test(settings: Settings, name: str, path: Path | None, headers: tuple[str, ...]) -> None:
    """Sign a body as the service of NAME would, and show which events it is. Nothing is sent or recorded.

    With the headers of a real request, its signature is checked instead.
    """
    from hub.rules.sources.intake import judge  # noqa: PLC0415
    from hub.rules.sources.samples import SAMPLE  # noqa: PLC0415

    source = next((each for each in _load(settings) if each.name == name), None)
    if source is None:
        raise click.UsageError(f"No source '{name}'. `hub sources list` shows them.")
    body, given = SAMPLE if path is None else path.read_bytes(), dict(_header(each) for each in headers)
    now_ms = time.time_ns() // 1_000_000
    request = _request(settings, source, body, given, now_ms)
    for row in _told(judge(source, request, now_ms=now_ms)):
        click.echo(row)


def _request(
    settings: Settings, source: Source, body: bytes, given: dict[str, str], now_ms: int
) -> SourceRequest:
    """Give the request as it is given if it is signed; else sign it."""
    from hub.rules.sources.model import SourceRequest  # noqa: PLC0415
    from hub.rules.sources.samples import signed_sample  # noqa: PLC0415

    url, check = _url(settings, source), source.definition.check
    given.setdefault("content-type", "application/json")
    is_signed = any(name in given for name in (*check.headers, "authorization", "x-twilio-signature"))
    if is_signed or (check.kind, check.variant) == ("python", "mailgun"):
        return SourceRequest(method="POST", url=url, query={}, headers=given, body=body)
    made = signed_sample(source, body, url=url, now_ms=now_ms, headers=given)
    if made is None:
        raise click.ClickException(
            f"Nobody but {source.definition.title} can sign for {source.name}. Try a real one: --body, --header."
        )
    return made


def _told(judged: Judgement) -> list[str]:
    from hub.rules.sources.intake import Accepted, Introduced  # noqa: PLC0415

    if isinstance(judged, Introduced):
        return [
            f"A handshake, answered with {judged.answer.status} {judged.answer.body.decode('utf-8', 'replace')}"
        ]
    if not isinstance(judged, Accepted):
        raise click.ClickException(f"Rejected: {judged.reason.value}. {judged.detail}")
    rows = [f"{each.event}  id {each.id}" for each in judged.events]
    return [
        f"Believed; {len(rows)} event{'' if len(rows) == 1 else 's'}, answered with {judged.answer.status}.",
        *rows,
    ]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.BadParameter(f"'{text}' is no header; write NAME:VALUE.", param_hint="--header")
    return name.strip().lower(), value.strip()


def _load(settings: Settings) -> list[Source]:
    from hub.config.connections import load_sources  # noqa: PLC0415

    return sorted(load_sources(settings.connections_file, os.environ), key=lambda each: each.name)


def _url(settings: Settings, source: Source) -> str:
    return f"{settings.web.public_url}/hooks/{source.name}"
