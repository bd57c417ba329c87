"""Any POST under an idempotency key is done once, and its repeats get its whole answer; sends: test_idempotency."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.body_digest import BodyDigest
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.idempotency import LEASE_MS, is_wrapped
from hub.api.openapi import described
from hub.api.openapi_document import request_headers
from hub.api.phone_numbers import NumberBatch
from hub.api.serving import PathApp
from hub.api.usecases import use_cases
from hub.flow.repeats import MOST_ANSWER_BYTES
from hub.model.errors import InvalidRequest, StoreError
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import SANDBOX_LINE, HubWorld, open_world

KEY = {"Idempotency-Key": "make-1"}
CONTACT_BODY = {"name": "Ann", "handles": ["+15550100001"]}
HOOK = {"from": "*", "url": "https://receiver.example/hook", "events": ["*"]}


async def count(world: HubWorld, path: str) -> int:
    return len((await world.api.get(path)).json["data"])


async def test_a_repeat_gets_the_same_thing_under_its_own_request_id(world: HubWorld) -> None:
    first = await world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY)
    again = await world.api.post("/v1/contacts", dict(reversed(CONTACT_BODY.items())), headers=KEY)

    assert (first.status, again.status) == (201, 201)
    assert {**first.json, "request_id": ""} == {**again.json, "request_id": ""}
    assert again.json["request_id"] == again.headers["x-request-id"] != first.json["request_id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(world, "/v1/contacts") == 1


@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/v1/webhooks", HOOK, "secret"),
        ("/v1/keys", {"name": "k", "scopes": ["lines:read"]}, "api_key"),
        ("/v1/bridges", {"name": "b"}, "secret"),
    ],
)
async def test_what_is_shown_once_is_shown_to_the_repeat(
    world: HubWorld, path: str, body: Any, secret: str
) -> None:
    first = await world.api.post(path, body, headers=KEY)
    again = await world.api.post(path, body, headers=KEY)

    assert first.status == 201, first.body
    assert first.json[secret] == again.json[secret]


async def test_simultaneous_repeats_are_done_once(world: HubWorld) -> None:
    answers = await asyncio.gather(
        *(world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY) for _ in range(30))
    )
    done = [answer for answer in answers if answer.status == 201]
    busy = [answer for answer in answers if answer.status == 409]

    assert len(done) + len(busy) == 30
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1
    assert {answer.code for answer in busy} <= {"idempotency_in_progress"}
    assert all(answer.headers["retry-after"] == "1" for answer in busy)
    assert await count(world, "/v1/contacts") == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/contacts", {**CONTACT_BODY, "name": "Bob"}),
        ("/v1/contact-groups", {"name": "Ann"}),
        ("/v1/messages", {"from": SANDBOX_LINE, "to": "+15550100001", "text": "Hello"}),
    ],
    ids=["another-body", "another-endpoint", "a-send"],
)
async def test_another_request_under_the_key_is_a_conflict(world: HubWorld, path: str, body: Any) -> None:
    await world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY)
    answered = await world.api.post(path, body, headers=KEY)

    assert (answered.status, answered.code) == (409, "idempotency_key_conflict")
    assert answered.param == "Idempotency-Key"


async def test_the_key_of_a_send_stands_for_nothing_else(world: HubWorld) -> None:
    await world.api.post(
        "/v1/messages", {"from": SANDBOX_LINE, "to": "+15550100001", "text": "Hello"}, headers=KEY
    )

    assert (
        await world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY)
    ).code == "idempotency_key_conflict"


async def test_the_path_is_part_of_the_request(world: HubWorld) -> None:
    one, other = await world.webhook(), await world.webhook(url="https://other.example/")
    await world.api.post(f"/v1/webhooks/{one['id']}/disable", headers=KEY)
    answered = await world.api.post(f"/v1/webhooks/{other['id']}/disable", headers=KEY)

    assert answered.code == "idempotency_key_conflict"


async def test_each_api_key_has_its_own(world: HubWorld) -> None:
    await world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY)
    other = await world.caller("contacts:write")
    answered = await other.post("/v1/contacts", {"name": "Bob", "handles": ["+15550100002"]}, headers=KEY)

    assert answered.status == 201


async def test_a_refusal_frees_the_key(world: HubWorld) -> None:
    refused = await world.api.post("/v1/contacts", {"name": "Ann", "handles": ["nobody?"]}, headers=KEY)
    made = await world.api.post("/v1/contacts", CONTACT_BODY, headers=KEY)
    taken = await world.api.post("/v1/contacts", CONTACT_BODY, headers={"Idempotency-Key": "make-2"})
    mended = await world.api.post("/v1/contact-groups", {"name": "g"}, headers={"Idempotency-Key": "make-2"})

    assert (refused.status, made.status, taken.status, mended.status) == (400, 201, 409, 201)


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank"])
async def test_keys_that_cannot_be_used(world: HubWorld, key: str) -> None:
    answered = await world.api.post("/v1/contacts", CONTACT_BODY, headers={"Idempotency-Key": key})

    assert (answered.status, answered.code, answered.param) == (
        400,
        "invalid_parameter_value",
        "Idempotency-Key",
    )
    assert await count(world, "/v1/contacts") == 0


async def test_a_process_that_dies_leaves_a_key_that_is_not_done_twice(world: HubWorld) -> None:
    caller, doing = acting(world, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await act(caller)
    running = await act(caller)
    world.clock.advance(LEASE_MS)
    lost = await act(caller)

    assert (running.code, running.headers["retry-after"]) == ("idempotency_in_progress", "1")
    assert (lost.status, lost.code) == (409, "idempotency_answer_lost")
    assert doing == ["done"]


async def test_what_nobody_foresaw_is_not_tried_again(world: HubWorld) -> None:
    caller, doing = acting(world, RuntimeError("oh"))
    with pytest.raises(RuntimeError):
        await act(caller)

    assert (await act(caller)).code == "idempotency_answer_lost"
    assert doing == ["done"]


@pytest.mark.parametrize(
    "error", [InvalidRequest("ai_unavailable", "Away."), StoreError("locked")], ids=lambda e: type(e).__name__
)
async def test_what_was_not_done_may_be_tried_again(world: HubWorld, error: Exception) -> None:
    caller, doing = acting(world, error)
    with pytest.raises(type(error)):
        await act(caller)
    with pytest.raises(type(error)):
        await act(caller)

    assert doing == ["done", "done"]


async def test_an_answer_that_is_too_large_is_not_done_again(world: HubWorld) -> None:
    caller, doing = acting(world, b" " * (MOST_ANSWER_BYTES + 1))
    first = await act(caller)
    again = await act(caller)

    assert (first.status, again.code, doing) == (200, "idempotency_answer_lost", ["done"])


async def test_a_streamed_answer_is_made_anew(world: HubWorld) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"piece"

    caller, doing = acting(world, pieces)
    first, again = await act(caller), await act(caller)

    assert (first.body, again.body, doing) == (b"piece", b"piece", ["done", "done"])


def acting(world: HubWorld, outcome: Any) -> tuple[Caller, list[str]]:
    """A surface with one endpoint that comes to this, and what it did."""
    doing: list[str] = []

    async def handle(call: Call[NoQuery, NumberBatch]) -> Reply:
        doing.append("done")
        if isinstance(outcome, BaseException):
            raise outcome
        return Reply(content=outcome() if callable(outcome) else outcome, content_type=b"text/plain")

    endpoint: AnyEndpoint = Endpoint(
        method="POST",
        path="/act",
        name="act",
        summary="Act.",
        tag="operation",
        scope="lines:read",
        query=NoQuery,
        body=NumberBatch,
        reply=bytes,
        handle=handle,
    )
    app = PathApp([endpoint], parts=world.parts, uses=use_cases(world.parts))
    return world.api.of(_Refusing(app)), doing


class _Refusing:
    """Answers refusals of the idempotency key as the envelope would, and lets everything else through."""

    def __init__(self, app: PathApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"request_id": "req_1", "answer_headers": []}
        try:
            await self._app(scope, receive, send)
        except InvalidRequest as error:
            if not error.code.startswith("idempotency_"):
                raise
            headers = [(b"retry-after", b"%d" % (error.retry_after or 0))]
            await send({"type": "http.response.start", "status": 409, "headers": headers})
            body = b'{"error":{"code":"%s"}}' % error.code.encode()
            await send({"type": "http.response.body", "body": body})


async def act(caller: Caller) -> Answered:
    return await caller.post("/act", {"numbers": ["+15550100001"]}, headers=KEY)


RAW = {**KEY, "Content-Type": "text/plain", "X-Filename": "a.txt"}


async def test_an_upload_is_stored_once(world: HubWorld) -> None:
    first = await world.api.request("POST", "/v1/files", chunks=[b"some ", b"bytes"], headers=RAW)
    again = await world.api.request("POST", "/v1/files", chunks=[b"some bytes"], headers=RAW)

    assert first.status == 201, first.body
    assert (again.status, again.json["id"]) == (201, first.json["id"])
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"other bytes", RAW),
        (b"some bytes, and many more" * 10_000, RAW),
        (b"", RAW),
        (b"some bytes", {**RAW, "X-Filename": "b.txt"}),
        (b"some bytes", {**RAW, "Content-Type": "text/csv"}),
    ],
    ids=["other", "longer", "empty", "name", "type"],
)
async def test_another_upload_under_the_key_is_a_conflict(
    world: HubWorld, body: bytes, headers: dict[str, str]
) -> None:
    await world.api.request("POST", "/v1/files", body=b"some bytes", headers=RAW)
    answered = await world.api.request("POST", "/v1/files", body=body, headers=headers)

    assert answered.code == "idempotency_key_conflict"


async def test_a_broken_upload_frees_the_key(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        empty = await world.api.request("POST", "/v1/files", body=b"", headers=RAW)
        stored = await world.api.request("POST", "/v1/files", body=b"some bytes", headers=RAW)

    assert (empty.code, stored.status) == ("empty_file", 201)


def form(boundary: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    body = (
        b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n%b\r\n--%b--\r\n'
        % (
            boundary.encode(),
            content,
            boundary.encode(),
        )
    )
    return body, {**KEY, "Content-Type": f"multipart/form-data; boundary={boundary}"}


async def test_a_form_is_the_same_under_another_boundary(world: HubWorld) -> None:
    answers = []
    for boundary, content in (("one", b"bytes"), ("another-one", b"bytes"), ("one", b"other")):
        body, headers = form(boundary, content)
        answers.append(await world.api.request("POST", "/v1/files", body=body, headers=headers))
    first, again, other = answers

    assert first.status == 201, first.body
    assert again.json["data"][0]["id"] == first.json["data"][0]["id"]
    assert other.code == "idempotency_key_conflict"


@given(st.lists(st.binary(max_size=4).map(lambda some: some.replace(b"\0", b"X")), max_size=12))
def test_how_a_form_is_cut_makes_no_difference_to_its_digest(chunks: list[bytes]) -> None:
    for boundary in (b"X", b"XX", b"aXa"):
        headers = {b"content-type": b"multipart/form-data; boundary=" + boundary}
        whole, cut = BodyDigest(headers), BodyDigest(headers)
        whole.add(b"".join(chunks))
        for chunk in chunks:
            cut.add(chunk)

        assert whole.finished() == cut.finished()


def test_every_post_takes_a_key() -> None:
    posts = [each for each in described() if each.method == "POST" and each.scope is not None]

    assert [each.name for each in posts if "Idempotency-Key" not in request_headers(each)] == []
    assert all("idempotency_in_progress" not in each.errors for each in posts if is_wrapped(each))
