"""Register a vendor's webhooks here, in the vendor's form, each once.

No vendor shows a secret twice. So a webhook gets the secret that its owner brings, or a new one; with a new one it
waits, switched off, until its receiver knows it, and what it would have got is held. A webhook is known again by form,
address and line; several of the vendor's that are alike in these become one, with the events of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.flow.directory import DirectoryHolder
from hub.flow.moves import MovedWebhook, MoveProblem, MoveReport, MoveWish
from hub.flow.ports import Clock
from hub.flow.vendor_sources import FoundWebhook
from hub.flow.webhooks import WebhookRegistry
from hub.model.errors import HubError, InvalidRequest, StoreError

#: Why a webhook is switched off that was carried over, as lists show it.
WAITS: Final = "carried over; waits until its receiver knows the secret"
WAS_OFF: Final = "carried over; was switched off at the vendor"
_Key = tuple[str, int | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planned:
    """A webhook to register."""

    row: int
    found: FoundWebhook
    line_id: int | None


class WebhookMover:
    """Registers what was found."""

    def __init__(self, *, registry: WebhookRegistry, directory: DirectoryHolder, clock: Clock) -> None:
        self._registry = registry
        self._directory = directory
        self._clock = clock

    async def move(
        self,
        form: str,
        found: Sequence[tuple[int, FoundWebhook]],
        wish: MoveWish,
        report: MoveReport,
        *,
        on_made: Callable[[MovedWebhook], None],
    ) -> None:
        """Register each that is not there yet, and note what became of it in the report."""
        there: set[_Key] = {
            (each.url, each.line_id) for each in await self._registry.all() if each.form == form
        }
        for key, planned in self._plan(found, report).items():
            if key in there:
                report.tallies["webhooks"].unchanged += 1
                continue
            try:
                made = await self._register(form, planned, wish)
            except (InvalidRequest, StoreError) as error:
                report.fail(_problem(planned, error))
            else:
                report.tallies["webhooks"].created += 1
                report.webhooks.append(made)
                on_made(made)
        urls = {each.url for _, each in found}
        for url in sorted(wish.secrets.keys() - urls):
            told = f"A secret was given for {url}, where the vendor has no webhook. Check how it is spelt."
            report.problems.append(MoveProblem(list="webhooks", field="secrets", error=told))

    def _plan(self, found: Sequence[tuple[int, FoundWebhook]], report: MoveReport) -> dict[_Key, _Planned]:
        planned: dict[_Key, _Planned] = {}
        lines = self._directory.current.lines_by_handle
        for row, each in found:
            line = None if each.line_handle is None else lines.get(each.line_handle)
            if each.line_handle is not None and line is None:
                error = (
                    f"There is no line {each.line_handle} here. Add it (`hub bridges add`), and run it again."
                )
                report.fail(MoveProblem(list="webhooks", id=each.id, row=row, field="line_ids", error=error))
                continue
            key = (each.url, None if line is None else line.id)
            known = planned.get(key)
            if known is None:
                planned[key] = _Planned(row=row, found=each, line_id=key[1])
            else:
                report.tallies["webhooks"].merged += 1
                planned[key] = replace(known, found=_merged(known.found, each))
        return planned

    async def _register(self, form: str, planned: _Planned, wish: MoveWish) -> MovedWebhook:
        found = planned.found
        brought = wish.secrets.get(found.url)
        secret = self._registry.draw_secret() if brought is None else brought
        is_active = found.is_active and (wish.is_started or brought is not None)
        fields: dict[str, Any] = {"url": found.url, "patterns": found.patterns, "form": form, **found.more}
        if not is_active:
            fields |= {
                "is_active": False,
                "disabled_at": self._clock.now_ms(),
                "disabled_reason": WAITS if found.is_active else WAS_OFF,
            }
        number: int | None = None
        if wish.is_dry_run:
            self._registry.check(fields, secret)
        else:
            made = await self._registry.register(line_id=planned.line_id, fields=fields, secret=secret)
            number = made.webhook.id
        shown = None if wish.is_dry_run or brought is not None else secret
        return MovedWebhook(id=number, vendor_id=found.id, url=found.url, is_active=is_active, secret=shown)


def _merged(one: FoundWebhook, other: FoundWebhook) -> FoundWebhook:
    """Make one of two at the same address; one that is switched off adds nothing to one that is not."""
    if one.is_active != other.is_active:
        return one if one.is_active else other
    patterns = tuple(dict.fromkeys((*one.patterns, *other.patterns)))
    said = {name: value for name, value in other.more.items() if value is not None}
    return replace(one, patterns=patterns, more={**one.more, **said})


def _problem(planned: _Planned, error: HubError) -> MoveProblem:
    field = error.param if isinstance(error, InvalidRequest) else None
    return MoveProblem(list="webhooks", id=planned.found.id, row=planned.row, field=field, error=str(error))
