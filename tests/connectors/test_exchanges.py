"""Every connector does what its golden exchanges say, over real HTTP, and never shows a secret."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

import connectors
from hub.config.connectors import shipped_manifests
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.rules.connectors.inputs import kind_of
from hub.rules.routes.durations import read_duration
from tests.connectors.golden import (
    KEY,
    NAME,
    TEST,
    Case,
    cases,
    check_answer_keys,
    check_error,
    check_request,
    connection_of,
    engine,
    hidden,
    matches,
    shown_secrets,
)
from tests.connectors.provider import providing

CASES = list(cases())
MANIFESTS = shipped_manifests()
#: Why a connector has no answer of a class that providers usually give.
WITHOUT = {
    ("http", "rate_limited"): "no provider: what it answers is classified as usual",
    ("http", "auth"): "no provider: what it answers is classified as usual",
    ("webhook", "rate_limited"): "no provider: what it answers is classified as usual",
    ("webhook", "auth"): "no provider: what it answers is classified as usual",
    ("zapier", "auth"): "its address is all that it checks",
}
#: Connectors whose exchanges are no HTTP, and where they stand instead.
ELSEWHERE = {"smtp": "tests/connectors/test_smtp.py"}
BY_HTTP = [each for each in connectors.CONNECTORS if each not in ELSEWHERE]


@pytest.mark.parametrize("case", [each for each in CASES if each.action != TEST], ids=lambda each: each.id)
async def test_an_action_does_what_its_exchange_says(case: Case, store: Store) -> None:
    manifest, written = MANIFESTS[case.connector], case.written
    connection = connection_of(manifest, case.connection)
    exchanges = written["exchanges"]
    for number, each in enumerate(exchanges):
        check_answer_keys(each["answer"], f"{case.path}: answer {number}")
    timeout_ms = read_duration(written.get("timeout", "5s"))
    assert isinstance(timeout_ms, int)

    async with providing([each["answer"] for each in exchanges]) as (provider, caller):
        works = engine(store, caller, [connection])
        call = ActionCall(
            name=f"{case.connector}.{case.action}",
            connection=None
            if works.catalogue.specs[f"{case.connector}.{case.action}"].connector is None
            else NAME,
            inputs=written.get("with", {}),
            key=KEY,
            attempt=1,
            timeout_ms=timeout_ms,
        )
        told: ActionDone | ActionFailed
        with capture_logs() as lines:
            try:
                told = await works.actions.run(call)
            except ActionFailed as failure:
                told = failure

    for number, (asked, each) in enumerate(zip(provider.asked, exchanges, strict=False), 1):
        check_request(asked, each["request"], f"{case.path.name}, {case.name}, request {number}")
    assert len(provider.asked) == len(exchanges), [f"{each.method} {each.url}" for each in provider.asked]
    # Each rule for errors can be decided for each answer that its provider gives.
    assert [each for each in lines if each["event"] == "connector.rules_undecided"] == []
    if "error" in written:
        assert isinstance(told, ActionFailed), told
        check_error(told, written["error"], case.id)
    else:
        assert isinstance(told, ActionDone), f"{told.error_class}: {told.message}"
        assert told.output == written["output"]
    if "requests" in written:
        assert list(told.requests) == written["requests"]
    shown = shown_secrets(
        [told.output if isinstance(told, ActionDone) else told.message, told.requests, lines]
    )
    assert not any(secret in shown for secret in hidden(connection))


@pytest.mark.parametrize("case", [each for each in CASES if each.action == TEST], ids=lambda each: each.id)
async def test_a_connection_is_tested_as_its_exchange_says(case: Case, store: Store) -> None:
    connection = connection_of(MANIFESTS[case.connector], case.connection)
    exchanges = case.written["exchanges"]

    async with providing([each["answer"] for each in exchanges]) as (provider, caller):
        tested = await engine(store, caller, [connection]).actions.test(NAME)

    for asked, each in zip(provider.asked, exchanges, strict=True):
        check_request(asked, each["request"], case.id)
    assert tested.works == case.written["works"], tested.detail
    assert matches(tested.detail, case.written.get("detail", "")), tested.detail


@pytest.mark.parametrize("case", [each for each in CASES if each.action != TEST], ids=lambda each: each.id)
async def test_a_preview_sends_nothing_and_shows_no_secret(case: Case, store: Store) -> None:
    connection = connection_of(MANIFESTS[case.connector], case.connection)

    async with providing([]) as (provider, caller):
        works = engine(store, caller, [connection])
        name = f"{case.connector}.{case.action}"
        call = ActionCall(
            name=name,
            connection=None if works.catalogue.specs[name].connector is None else NAME,
            inputs=case.written.get("with", {}),
            key=KEY,
            attempt=1,
            timeout_ms=1_000,
        )
        lines: list[str] = []
        if case.written["exchanges"]:
            lines = list(await works.actions.preview(call))

    assert provider.asked == []
    assert len(lines) >= bool(case.written["exchanges"])
    assert not any(secret in shown_secrets(lines) for secret in hidden(connection))


# ---- completeness


@pytest.mark.parametrize("connector", BY_HTTP)
def test_every_action_has_an_exchange_that_succeeds(connector: str) -> None:
    good = {each.action for each in CASES if each.connector == connector and "output" in each.written}

    assert set(MANIFESTS[connector].actions) == good - {TEST}


@pytest.mark.parametrize("connector", BY_HTTP)
def test_every_connector_shows_what_goes_wrong(connector: str) -> None:
    shown = {
        each.written["error"]["class"]
        for each in CASES
        if each.connector == connector and "error" in each.written
    }
    exempt = {error_class for name, error_class in WITHOUT if name == connector}

    assert {"rate_limited", "auth", "invalid"} - exempt <= shown


@pytest.mark.parametrize("connector", BY_HTTP)
def test_a_test_request_has_an_exchange(connector: str) -> None:
    has_probe = any(kind.probe is not None for kind in MANIFESTS[connector].auth.values())
    shown = {each.written["works"] for each in CASES if each.connector == connector and each.action == TEST}

    assert shown == ({True, False} if has_probe else set())


@pytest.mark.parametrize(
    "case", [each for each in CASES if "output" in each.written], ids=lambda each: each.id
)
def test_a_sample_has_the_form_of_what_is_given(case: Case) -> None:
    sample = MANIFESTS[case.connector].actions[case.action].sample
    given = case.written["output"]
    kinds = {name: {kind_of(sample[name]), "null"} for name in given}

    # What may be anything or nothing is held to the names alone.
    assert all(
        kind_of(value) in kinds[name] or "null" in {kind_of(sample[name])} or name == "body"
        for name, value in given.items()
    )
