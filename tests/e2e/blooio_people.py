"""What Blooio's own client is asked about contacts, numbers, calls, places and webhooks (see blooio_methods)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from blooio import BadRequestError, ConflictError, NotFoundError

from tests.e2e.blooio_methods import Cases, Method, Stage
from tests.e2e.receiver import Request
from tests.e2e.rest import LINE
from tests.e2e.running import wait_for

PEOPLE: Final = Cases()

# ---- contacts


@PEOPLE.exercises("contacts.create")
def _create(stage: Stage, method: Method) -> None:
    number = stage.person()
    made = method(identifier=number, name="Ann")
    with pytest.raises(ConflictError) as refused:
        method(identifier=number)

    assert (made.id, made.identifier, made.name, made.type, made.tags) == (number, number, "Ann", "phone", [])
    assert refused.value.body["contact"]["contact_id"] == made.contact_id  # type: ignore[index]  # untyped there


@PEOPLE.exercises("contacts.retrieve")
def _show(stage: Stage, method: Method) -> None:
    number = stage.contact()
    shown = method(number)

    assert (shown.identifier, shown.name) == (number, "Ann")
    assert method(shown.contact_id) == shown


@PEOPLE.exercises("contacts.update")
def _rename(stage: Stage, method: Method) -> None:
    number = stage.contact()

    assert method(number, name="Anna").name == "Anna"
    assert method(number, name=None).name is None


@PEOPLE.exercises("contacts.list")
def _list(stage: Stage, method: Method) -> None:
    numbers = [stage.contact(name) for name in ("Quetzal B", "Quetzal A")]
    listed = method(q="quetzal", sort="name_asc", limit=200)

    assert [each.identifier for each in listed.contacts] == numbers[::-1]
    assert (listed.pagination.limit, listed.pagination.total) == (200, 2)


@PEOPLE.exercises("contacts.delete")
def _delete(stage: Stage, method: Method) -> None:
    number = stage.contact()
    gone = method(number)

    assert (gone.success, isinstance(gone.deleted_at, int)) == (True, True)
    with pytest.raises(NotFoundError):
        stage.client.contacts.retrieve(number)


@PEOPLE.exercises("contacts.check_capabilities")
def _capabilities(stage: Stage, method: Method) -> None:
    number = stage.person()
    found = method(number)

    assert (found.contact, found.type, found.capabilities.imessage) == (number, "phone", True)
    assert isinstance(found.last_checked, int)


@PEOPLE.exercises("contacts.tags.add")
def _tag(stage: Stage, method: Method) -> None:
    number = stage.contact()
    added, again = method(number, tags=["vip", "beta"]), method(number, tags=["vip"])

    assert (added.success, sorted(added.tags_added), again.tags_added) == (True, ["beta", "vip"], [])


@PEOPLE.exercises("contacts.tags.list")
def _tags(stage: Stage, method: Method) -> None:
    number = stage.contact()
    stage.client.contacts.tags.add(number, tags=["vip"])
    listed = method(number)

    assert [(each.tag, isinstance(each.created_at, int)) for each in listed.tags] == [("vip", True)]


@PEOPLE.exercises("contacts.tags.remove")
def _untag(stage: Stage, method: Method) -> None:
    number = stage.contact()
    stage.client.contacts.tags.add(number, tags=["vip", "beta"])
    taken = method("beta", contact_id=number)

    assert (taken.success, isinstance(taken.deleted_at, int)) == (True, True)
    assert stage.client.contacts.retrieve(number).tags == ["vip"]


# ---- the key, its numbers, look-ups, calls, places


@PEOPLE.exercises("me.retrieve")
def _me(stage: Stage, method: Method) -> None:
    stage.chat()
    me = method()

    assert (me.auth_type, me.valid, me.organization.organization_id) == ("api_key", True, me.organization_id)
    assert [each.phone_number for each in me.devices] == [LINE]
    assert me.usage.outbound_messages >= 1
    assert isinstance(me.usage.last_message_sent, int)


@PEOPLE.exercises("me.numbers.list")
def _numbers(stage: Stage, method: Method) -> None:
    (number,) = method().numbers

    assert (number.phone_number, number.is_active, number.model_extra["plan_kind"]) == (
        LINE,
        True,
        "dedicated",
    )


@PEOPLE.exercises("me.numbers.contact_card.update")
def _set_card(stage: Stage, method: Method) -> None:
    changed = method(LINE, first_name="Ada", last_name="King")
    with pytest.raises(BadRequestError):
        method(LINE, avatar="%%%")

    assert (changed.success, changed.phone_number) == (True, LINE)
    assert (changed.first_name, changed.last_name) == ("Ada", "King")


@PEOPLE.exercises("me.numbers.contact_card.retrieve")
def _card(stage: Stage, method: Method) -> None:
    sharing = {"enabled": True, "audience": 1, "name_format": 1}
    stage.client.me.numbers.contact_card.update(
        LINE,
        first_name="Grace",
        last_name="Hopper",
        sharing=sharing,  # type: ignore[arg-type]  # a dict does
    )
    card = method(LINE)

    assert (card.phone_number, card.name) == (LINE, "Grace Hopper")
    assert (card.sharing.enabled, card.sharing.audience, card.sharing.name_format) == (True, 1, 1)


@PEOPLE.exercises("phone_numbers.lookup.retrieve")
def _look_up(stage: Stage, method: Method) -> None:
    found = method(number="+14155550123")

    assert (found.e164, found.country, found.country_calling_code) == ("+14155550123", "US", "1")
    assert (found.area_code, found.exchange, found.possible) == ("415", "555", True)


@PEOPLE.exercises("phone_numbers.lookup.create")
def _look_up_by_post(stage: Stage, method: Method) -> None:
    assert method(number="+442071838750") == stage.client.phone_numbers.lookup.retrieve(
        number="+442071838750"
    )
    assert method(number="+442071838750").country == "GB"


@PEOPLE.exercises("phone_numbers.batch_create")
def _look_up_many(stage: Stage, method: Method) -> None:
    found = method(numbers=["+442071838750", "nonsense"])

    assert [(each.input, each.valid) for each in found.results] == [
        ("+442071838750", True),
        ("nonsense", False),
    ]


@PEOPLE.exercises("facetime.initiate_call")
def _call(stage: Stage, method: Method) -> None:
    number = stage.person()
    call = method(handle=number)

    assert (call.success, call.handle, call.link.startswith("https://")) == (True, number, True)


@PEOPLE.exercises("location.contacts.refresh")
def _refresh(stage: Stage, method: Method) -> None:
    refreshed = method()

    assert refreshed.success is True
    assert all(len(each.coordinates) == 2 for each in refreshed.friends)


@PEOPLE.exercises("location.contacts.list")
def _places(stage: Stage, method: Method) -> None:
    handle = stage.place()
    friends = {each.handle: each for each in method().friends}

    assert len(friends[handle].coordinates) == 2
    assert friends[handle].status in {"live", "shallow", "legacy"}


@PEOPLE.exercises("location.contacts.retrieve")
def _place(stage: Stage, method: Method) -> None:
    handle = stage.place()
    shown = method(handle)

    assert (shown.handle, isinstance(shown.last_updated, int)) == (handle, True)
    with pytest.raises(NotFoundError):
        method("+15559999999")


# ---- webhooks: the vendor's own refuse http://, so the receiver on this machine is registered natively, in their form


@contextmanager
def receiving(stage: Stage) -> Iterator[tuple[str, str, str]]:
    """Give the id, the path and the secret of a webhook whose receiver hears of the next message."""
    path = f"/blooio/{stage.person()}"
    made = stage.rest.register(stage.receiver.url(path), "message.sent", form="blooio")
    try:
        yield made["id"], path, made["secret"]
    finally:
        stage.rest.ask("DELETE", f"/v1/webhooks/{made['id']}")


def is_signed(request: Request, secret: str) -> bool:
    """Tell whether this secret signed it, as the vendor's documents have receivers compute it."""
    stamp, _, signed = request.headers["x-blooio-signature"].partition(",v1=")
    content = f"{stamp.removeprefix('t=')}.".encode() + request.body
    return hmac.compare_digest(signed, hmac.new(secret.encode(), content, hashlib.sha256).hexdigest())


@PEOPLE.exercises("webhooks.create")
def _register(stage: Stage, method: Method) -> None:
    url = f"https://receiver.example/{stage.person()}"
    made, again = method(webhook_url=url, webhook_type="status"), method(webhook_url=url)
    stage.client.webhooks.delete(made.webhook_id)

    assert made.model_extra["signing_secret"].startswith("whsec_")
    assert (made.webhook_url, made.webhook_type, made.scope) == (url, "status", "organization")
    assert again.webhook_id == made.webhook_id
    assert "signing_secret" not in again.model_extra
    with pytest.raises(BadRequestError):
        method(webhook_url="http://receiver.example/hook")


@PEOPLE.exercises("webhooks.retrieve")
def _show_webhook(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, path, secret):
        shown = method(webhook_id)

    assert (shown.webhook_id, shown.webhook_url) == (webhook_id, stage.receiver.url(path))
    assert (shown.is_active, shown.valid_until, shown.failure_count) == (True, -1, 0)
    assert secret not in shown.to_json()


@PEOPLE.exercises("webhooks.list")
def _webhooks(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, _, secret):
        listed = method()
        shown = stage.client.webhooks.retrieve(webhook_id)

    assert shown in listed.webhooks
    assert secret not in listed.to_json()


@PEOPLE.exercises("webhooks.update")
def _pause(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, path, _):
        paused = method(webhook_id, deprecate=True)
        stage.chat()
        resumed = method(webhook_id, deprecate=False)
        changed = method(webhook_id, webhook_type="all", valid_until=4_000_000_000_000)
        missed = stage.receiver.requests(path)

    assert (paused.is_active, isinstance(paused.deprecated_at, int), missed) == (False, True, [])
    assert (resumed.is_active, resumed.deprecated_at) == (True, None)
    assert (changed.webhook_type, changed.valid_until) == ("all", 4_000_000_000_000)


@PEOPLE.exercises("webhooks.delete")
def _unregister(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, _, _):
        gone = method(webhook_id)

        assert (gone.success, gone.message) == (True, "Webhook deleted")
        with pytest.raises(NotFoundError):
            stage.client.webhooks.retrieve(webhook_id)


@PEOPLE.exercises("webhooks.secret.rotate")
def _rotate(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, path, old):
        first, second = method(webhook_id), method(webhook_id)
        stage.chat()
        (told, *_) = stage.receiver.wait(path)

    assert (first.webhook_id, first.rotation_count, second.rotation_count) == (webhook_id, 1, 2)
    assert is_signed(told, second.signing_secret)
    assert not is_signed(told, first.signing_secret)
    assert not is_signed(told, old)


@PEOPLE.exercises("webhooks.logs.list")
def _logs(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, path, secret):
        number, message_id = stage.chat(text="Once")
        (told, *_) = stage.receiver.wait(path)
        (log,) = wait_for(lambda: method(webhook_id, status=200).logs)
        page = method(webhook_id, min_status=200, max_status=299, sort="asc", limit=1).pagination
        failed = method(webhook_id, min_status=300).logs

    assert is_signed(told, secret)
    assert told.headers["x-blooio-message-id"] == message_id
    assert (log.event_body.event, log.event_body.text, log.event_body.external_id) == (
        "message.sent",
        "Once",
        number,
    )
    assert (log.response_status, log.webhook_url, log.metadata.is_replay) == (
        200,
        stage.receiver.url(path),
        False,
    )
    assert (page.limit, page.total, page.returned, page.has_more, failed) == (1, 1, 1, False, [])


@PEOPLE.exercises("webhooks.logs.replay")
def _replay(stage: Stage, method: Method) -> None:
    with receiving(stage) as (webhook_id, path, secret):
        stage.chat()
        (log,) = wait_for(lambda: stage.client.webhooks.logs.list(webhook_id, status=200).logs)
        replayed = method(log.event_id, webhook_id=webhook_id)
        first, again = stage.receiver.wait(path, 2)

    assert (replayed.success, replayed.response_status) == (True, 200)
    assert replayed.original_event_id == log.event_id != replayed.replay_event_id
    assert "x-blooio-replay" not in first.headers
    assert (again.headers["x-blooio-replay"], again.headers["x-original-event-id"]) == ("true", log.event_id)
    assert is_signed(again, secret)
