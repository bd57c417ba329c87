"""Contacts, their lists and their reachability keep their promises on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from hub.flow.contact_store import ContactFilter, ContactOrder, ContactPlace, Planned
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.model.contact import Contact, ContactGroup, ContactHandle, ContactTag, HandleKind, Reachability
from hub.model.errors import StoreError
from hub.rules.contacts import ContactFields, merged
from tests.store.specimens import BRIDGE, CHAT, LINE

ANN = Contact(
    id=1,
    first_name="Ann",
    last_name="Lee",
    name=None,
    organization="Acme",
    job_title="CEO",
    handles=(
        ContactHandle(handle="+15550100001", kind=HandleKind.PHONE, label="work"),
        ContactHandle(handle="ann@example.com", kind=HandleKind.EMAIL),
    ),
    tags=(ContactTag(tag="b", added_at=2), ContactTag(tag="vip", added_at=3)),
    metadata='{"crm":1}',
    notes="likes tea",
    created_at=5,
    updated_at=6,
)


def contact(number: int, *, name: str = "", tags: tuple[str, ...] = (), handle: str = "") -> Contact:
    return Contact(
        id=number,
        name=name or f"Contact {number:03}",
        handles=(ContactHandle(handle=handle or f"+1555020{number:04}", kind=HandleKind.PHONE),),
        tags=tuple(ContactTag(tag=tag, added_at=1) for tag in tags),
        created_at=1,
        updated_at=1,
    )


async def fill(store: Store, *rows: Contact) -> None:
    await store.contacts.write((), lambda _: Planned(new=rows))


async def walk(store: Store, wanted: ContactFilter, *, limit: int) -> list[int]:
    """All pages, one after the other."""
    found: list[int] = []
    place: ContactPlace | None = None
    while True:
        page = await store.contacts.page(wanted, after=place, limit=limit)
        assert len(page.contacts) <= limit
        found += [each.id for each in page.contacts]
        if page.next is None:
            return found
        place = page.next


async def chat(store: Store, number: int, handle: str, *, line: int = 1, at: int | None = None) -> None:
    row = CHAT._replace(
        id=number, line_id=line, chat_key=f"dm:{handle}", identifier=handle, last_message_at=at
    )

    async def work(tx: HotTransaction) -> None:
        await tx.merge_chats([row])

    await store.hot.write(work)


@pytest.fixture
async def lined(store: Store) -> Store:
    """A store with two lines."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.lines.add(replace(LINE, id=2, handle="+15550101"))
    return store


async def test_a_contact_comes_back_as_it_was(store: Store) -> None:
    await store.contacts.add(ANN)

    assert await store.contacts.get(1) == ANN
    assert await store.contacts.get(2) is None
    assert await store.contacts.by_handles(["ann@example.com", "+15550100001", "+1"]) == {
        "ann@example.com": ANN,
        "+15550100001": ANN,
    }
    assert await store.contacts.by_handles([]) == {}


async def test_a_handle_is_one_contacts(store: Store) -> None:
    await store.contacts.add(ANN)
    with pytest.raises(StoreError):
        await store.contacts.add(replace(ANN, id=2))

    assert await store.contacts.get(2) is None
    assert await store.contacts.get(1) == ANN


async def test_two_at_once_do_not_both_get_a_handle(store: Store) -> None:
    results = await asyncio.gather(
        *(store.contacts.add(replace(ANN, id=number)) for number in range(1, 6)), return_exceptions=True
    )

    assert sorted(isinstance(each, StoreError) for each in results) == [False, True, True, True, True]


async def test_a_change_counts_for_every_look_up(store: Store) -> None:
    await store.contacts.add(ANN)
    other = ContactHandle(handle="262966", kind=HandleKind.PHONE)
    changed = replace(ANN, name="Z", handles=(other,), tags=(ContactTag(tag="new", added_at=9),))

    assert await store.contacts.update(1, lambda _: changed) == changed
    assert await store.contacts.get(1) == changed
    assert await store.contacts.by_handles(["+15550100001", "262966"]) == {"262966": changed}
    assert await walk(store, ContactFilter(tags=("vip",)), limit=9) == []
    assert await walk(store, ContactFilter(tags=("new",), needle="z"), limit=9) == [1]
    assert await store.contacts.update(2, lambda each: each) is None


async def test_changes_that_come_at_once_all_count(store: Store) -> None:
    await store.contacts.add(ANN)

    async def tag(word: str) -> None:
        await store.contacts.update(1, lambda each: merged(each, ContactFields(tags=(word,)), now_ms=9))

    await asyncio.gather(*map(tag, "cdefg"))
    found = await store.contacts.get(1)

    assert found is not None
    assert [each.tag for each in found.tags] == ["b", "c", "d", "e", "f", "g", "vip"]


async def test_a_deleted_contact_leaves_nothing_and_its_handles_are_free(store: Store) -> None:
    await store.contacts.add(ANN)
    await store.contact_groups.add(ContactGroup(id=7, name="g", created_at=1, updated_at=1))
    await store.contact_groups.add_members(7, [1], at=1)

    assert [await store.contacts.delete(1), await store.contacts.delete(1)] == [True, False]
    assert await store.contact_groups.sizes([7]) == {}
    assert await store.contacts.tags(after=None, limit=9) == []
    await store.contacts.add(replace(ANN, id=2))


async def test_a_plan_sees_who_has_the_handles_and_writes_at_once(store: Store) -> None:
    await store.contacts.add(ANN)
    seen: list[Mapping[str, Contact]] = []

    def plan(owners: Mapping[str, Contact]) -> Planned:
        seen.append(owners)
        return Planned(new=[contact(2)], changed=[replace(ANN, notes=None)])

    await store.contacts.write(["+15550100001", "+19"], plan)

    assert seen[-1] == {"+15550100001": ANN}
    assert await walk(store, ContactFilter(), limit=9) == [2, 1]
    assert (await store.contacts.get(1)) == replace(ANN, notes=None)


async def test_a_plan_that_is_refused_leaves_nothing(store: Store) -> None:
    await store.contacts.add(ANN)
    with pytest.raises(StoreError):
        await store.contacts.write((), lambda _: Planned(new=[contact(2), replace(ANN, id=3)]))

    assert await walk(store, ContactFilter(), limit=9) == [1]


ORDERS = {
    ContactOrder.RECENT: [5, 4, 3, 2, 1],
    ContactOrder.OLDEST: [1, 2, 3, 4, 5],
    ContactOrder.NAME_ASC: [2, 3, 5, 1, 4],
    ContactOrder.NAME_DESC: [4, 1, 5, 3, 2],
}


@pytest.mark.parametrize("limit", [1, 2, 5, 9])
@pytest.mark.parametrize(("order", "expected"), ORDERS.items())
async def test_pages_come_in_order_without_gap_or_repeat(
    store: Store, order: ContactOrder, expected: list[int], limit: int
) -> None:
    names = {1: "ärger", 2: "Ann", 3: "ann", 4: "Ömer", 5: "bob"}
    await fill(store, *(contact(number, name=name, tags=("t",)) for number, name in names.items()))

    assert await walk(store, ContactFilter(order=order), limit=limit) == expected
    assert await walk(store, ContactFilter(order=order, tags=("t",)), limit=limit) == expected


async def test_pages_stay_in_step_while_contacts_come_and_go(store: Store) -> None:
    await fill(store, *(contact(number) for number in (2, 4, 6, 8)))
    for order, expected in ((ContactOrder.NAME_ASC, [4, 6, 8]), (ContactOrder.RECENT, [6, 4, 2])):
        wanted = ContactFilter(order=order)
        first = await store.contacts.page(wanted, after=None, limit=1)
        await store.contacts.delete(first.contacts[0].id)
        rest = await store.contacts.page(wanted, after=first.next, limit=9)
        await fill(store, first.contacts[0])

        assert [each.id for each in rest.contacts] == expected


async def test_filters_narrow_each_other(store: Store) -> None:
    await fill(
        store,
        contact(1, name="Ann", tags=("a", "b")),
        contact(2, name="Annabel", tags=("a",)),
        contact(3, name="Bob", tags=("a", "b")),
        contact(4, name="100% _sure"),
    )
    await store.contact_groups.add(ContactGroup(id=7, name="g", created_at=1, updated_at=1))
    await store.contact_groups.add_members(7, [2, 3], at=1)
    cases = {
        ContactFilter(needle="ann"): [2, 1],
        ContactFilter(needle="%"): [4],
        ContactFilter(needle="_"): [4],
        ContactFilter(needle="+15550200003"): [3],
        ContactFilter(tags=("a", "b")): [3, 1],
        ContactFilter(tags=("b",), needle="ann"): [1],
        ContactFilter(group_id=7): [3, 2],
        ContactFilter(group_id=7, tags=("a", "b")): [3],
        ContactFilter(group_id=7, needle="ann", order=ContactOrder.NAME_DESC): [2],
        ContactFilter(tags=("none",)): [],
    }
    for wanted, expected in cases.items():
        assert await walk(store, wanted, limit=1) == expected, wanted


async def test_only_contacts_with_a_direct_chat_on_the_lines_are_given(lined: Store) -> None:
    await fill(lined, *(contact(number, handle=f"+1555020000{number}") for number in range(1, 6)))
    await chat(lined, 1, "+15550200001", line=1)
    await chat(lined, 2, "+15550200004", line=1)
    await chat(lined, 3, "+15550200004", line=2)
    await chat(lined, 4, "+15550200005", line=2)

    for limit in (1, 2, 9):
        assert await walk(lined, ContactFilter(line_ids=frozenset({1})), limit=limit) == [4, 1]
        assert await walk(lined, ContactFilter(line_ids=frozenset({1, 2})), limit=limit) == [5, 4, 1]
        assert await walk(lined, ContactFilter(line_ids=frozenset()), limit=limit) == []
    assert [await lined.contacts.is_on_lines(number, frozenset({1})) for number in (1, 2, 4, 9)] == [
        True,
        False,
        True,
        False,
    ]


async def test_a_page_for_few_lines_looks_at_a_window_and_goes_on_from_there(
    lined: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.repositories.contacts.WINDOW", 3)
    await fill(lined, *(contact(number, handle=f"+1555020000{number}") for number in range(1, 9)))
    await chat(lined, 1, "+15550200001")
    wanted = ContactFilter(line_ids=frozenset({1}))
    first = await lined.contacts.page(wanted, after=None, limit=2)

    assert (first.contacts, first.next) == ([], ContactPlace(6, "contact 006"))
    assert await walk(lined, wanted, limit=2) == [1]


async def test_the_last_message_is_the_latest_of_all_handles_and_lines(lined: Store) -> None:
    await lined.contacts.add(ANN)
    await fill(lined, contact(2), contact(3, handle="+15550200003"))
    await chat(lined, 1, "+15550100001", line=1, at=10)
    await chat(lined, 2, "ann@example.com", line=2, at=30)
    await chat(lined, 3, "+15550200003", line=2)

    assert await lined.contacts.last_messages([1, 2, 3], line_ids=None) == {1: 30}
    assert await lined.contacts.last_messages([1, 2], line_ids=frozenset({1})) == {1: 10}
    assert [await lined.contacts.latest_line(number, [1, 2]) for number in (1, 2, 3)] == [2, None, 2]
    assert await lined.contacts.latest_line(1, [1]) == 1


async def test_tags_are_counted_and_paged(store: Store) -> None:
    await fill(store, contact(1, tags=("b", "vip")), contact(2, tags=("vip", "Ä")))

    assert await store.contacts.tags(after=None, limit=9) == [("b", 1), ("vip", 2), ("Ä", 1)]
    assert await store.contacts.tags(after="b", limit=1) == [("vip", 2)]


async def test_groups_have_names_of_their_own_and_members(store: Store) -> None:
    group = ContactGroup(id=7, name="g", created_at=1, updated_at=1)
    await store.contact_groups.add(group)
    await store.contact_groups.add(replace(group, id=8, name="h"))
    await fill(store, contact(1), contact(2))
    with pytest.raises(StoreError):
        await store.contact_groups.add(replace(group, id=9))
    with pytest.raises(StoreError):
        await store.contact_groups.rename(8, name="g", at=2)

    assert await store.contact_groups.add_members(7, [2, 1, 99], at=1) == 2
    assert await store.contact_groups.add_members(7, [1], at=1) == 0
    assert await store.contact_groups.add_members(99, [1], at=1) is None
    assert await store.contact_groups.sizes([7, 8]) == {7: 2}
    assert [await store.contact_groups.remove_member(7, 1) for _ in range(2)] == [True, False]
    assert await store.contact_groups.rename(7, name="new", at=5)
    assert await store.contact_groups.by_name("new") == replace(group, name="new", updated_at=5)
    assert [each.id for each in await store.contact_groups.list(after=None, limit=1)] == [8]
    assert [each.id for each in await store.contact_groups.list(after=8, limit=9)] == [7]
    assert [await store.contact_groups.delete(7) for _ in range(2)] == [True, False]
    assert await store.contact_groups.get(7) is None
    assert await store.contacts.get(2) is not None


async def test_what_was_found_out_is_kept_by_line_and_handle(store: Store) -> None:
    asked = Reachability(line_id=1, handle="+1", outbox_id=5, result=None, checked_at=None)
    told = replace(asked, result="{}", checked_at=9)
    await store.availability.save([asked, replace(asked, line_id=2), replace(asked, handle="+2")])
    await store.availability.save([told])
    await store.availability.save([])

    assert await store.availability.find(1, ["+1", "+2", "+3"]) == {
        "+1": told,
        "+2": replace(asked, handle="+2"),
    }
    assert await store.availability.find(2, ["+1"]) == {"+1": replace(asked, line_id=2)}
