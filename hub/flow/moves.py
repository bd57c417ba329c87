"""What is to be carried over from a vendor, and what became of it: counts, what is wrong with what stayed behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hub.flow.vendor_sources import ListName, Unreadable
from hub.rules.contact_rows import Regions


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveWish:
    """What is to be carried over, and how."""

    lists: Collection[ListName]
    is_dry_run: bool = False
    #: Of which countries the vendor's numbers may be.
    regions: Regions = field(default_factory=Regions)
    #: Secrets that receivers know already, by their address.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Whether webhooks with a new secret are delivered to at once.
    is_started: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveProblem:
    """Something that was not carried over, wholly or in part."""

    list: ListName
    #: The vendor's id; empty where there is none.
    id: str = ""
    #: The place in the list, from 1; None where it is of no place.
    row: int | None = None
    field: str | None = None
    #: Sentences: what is wrong and what to do.
    error: str
    #: Masked.
    value: str | None = None


@dataclass(kw_only=True, slots=True)
class Tally:
    """What became of a list."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    #: Taken into another of the same list.
    merged: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedWebhook:
    """A webhook that was made, or in a dry run would be."""

    #: Ours; None in a dry run.
    id: int | None
    #: The vendor's.
    vendor_id: str
    url: str
    is_active: bool
    #: Drawn anew, and not shown again. None where its receiver knows it, and in a dry run.
    secret: str | None = field(repr=False)


@dataclass(kw_only=True, slots=True)
class MoveReport:
    """What became of all lists that were asked for."""

    tallies: dict[ListName, Tally] = field(default_factory=dict)
    webhooks: list[MovedWebhook] = field(default_factory=list)
    problems: list[MoveProblem] = field(default_factory=list)

    def fail(self, problem: MoveProblem) -> None:
        """Count a thing that stays behind, and say why."""
        self.tallies[problem.list].failed += 1
        self.problems.append(problem)

    def tell(self, name: ListName, found: Unreadable) -> None:
        """Say what is wrong with something that was just read."""
        row = self.tallies[name].read if found.is_lost else None
        problem = MoveProblem(list=name, id=found.id, row=row, field=found.field, error=found.error)
        if found.is_lost:
            self.fail(problem)
        else:
            self.problems.append(problem)
