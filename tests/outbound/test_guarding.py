"""Addresses are vetted when they are dialled, and again when a connection is reused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError, SystemResolver
from hub.rules.egress import EgressPolicy, read_allow_list
from tests.outbound.conftest import LOOPBACK, Clock, MakeClient, Names
from tests.outbound.receivers import OK, Receiver, answering, listening


async def refusal(client: OutboundClient, url: str) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await client.post(client.target(url), b"", b"{}")
    return caught.value


async def test_a_name_is_resolved_once_and_the_vetted_address_dialled(make_client: MakeClient) -> None:
    names = Names({"receiver.test": ("127.0.0.1",)})
    client = make_client(resolver=names)
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="receiver.test"))
        answers = await asyncio.gather(*(client.post(target, b"", b"{}") for _ in range(10)))

        assert {answer.address for answer in answers} == {"127.0.0.1"}
        assert names.asked == ["receiver.test"]
        assert b"\r\nHost: receiver.test:%d\r\n" % receiver.port in receiver.requests[0]


@pytest.mark.parametrize(
    "answers",
    [
        ("10.0.0.1",),
        ("127.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("127.0.0.1", "64:ff9b::7f00:1"),
        ("127.0.0.1", "fe80::1%lo"),
        ("127.0.0.1", "169.254.169.254"),
        ("127.0.0.1", "0.0.0.0"),
        ("127.0.0.1", "rubbish"),
    ],
)
async def test_one_bad_answer_refuses_the_name(make_client: MakeClient, answers: tuple[str, ...]) -> None:
    client = make_client(resolver=Names({"receiver.test": answers}))
    async with listening(answering(OK)) as receiver:
        error = await refusal(client, receiver.url(host="receiver.test"))

        assert error.code is OutboundCode.ADDRESS_REFUSED
        assert receiver.visits == 0


async def test_a_refusal_tells_the_setting_but_not_the_address(make_client: MakeClient) -> None:
    client = make_client(resolver=Names({"intranet.test": ("10.1.2.3",)}))
    error = await refusal(client, "https://intranet.test/")

    assert "outbound.allow" in error.detail
    assert "10.1.2.3" not in str(error)
    assert error.address is None


async def test_a_name_that_turns_to_a_private_address_is_refused_even_with_a_connection_at_hand(
    make_client: MakeClient,
) -> None:
    clock, names = Clock(), Names({"rebind.test": ("127.0.0.1",)})
    client = make_client(resolver=names, clock=clock, limits={"idle_sweep_seconds": 3600})
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="rebind.test"))
        await client.post(target, b"", b"{}")
        names.table["rebind.test"] = ("10.0.0.1",)
        clock.now += 31
        error = await refusal(client, receiver.url(host="rebind.test"))

        assert error.code is OutboundCode.ADDRESS_REFUSED
        assert len(receiver.requests) == 1


async def test_a_connection_to_an_address_that_the_name_left_is_not_reused(make_client: MakeClient) -> None:
    clock, names = Clock(), Names({"moving.test": ("127.0.0.1",)})
    client = make_client(resolver=names, clock=clock, limits={"idle_sweep_seconds": 3600})
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="moving.test"))
        await client.post(target, b"", b"{}")
        names.table["moving.test"] = ("127.0.0.2",)
        clock.now += 31
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"{}")

        assert (caught.value.code, caught.value.address) == (OutboundCode.CONNECT_FAILED, "127.0.0.2")
        assert len(receiver.requests) == 1


async def test_answers_are_believed_for_the_time_to_live_only(make_client: MakeClient) -> None:
    clock, names = Clock(), Names({"receiver.test": ("127.0.0.1",)})
    client = make_client(resolver=names, clock=clock)
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="receiver.test"))
        for seconds in (0, 29, 2, 29, 2):
            clock.now += seconds
            await client.post(target, b"", b"{}")

        assert len(names.asked) == 3


async def test_a_failed_look_up_is_remembered_for_a_moment(make_client: MakeClient) -> None:
    clock, names = Clock(), Names()
    client = make_client(resolver=names, clock=clock)
    errors = [await refusal(client, "https://nowhere.test/") for _ in range(2)]
    clock.now += 4
    errors.append(await refusal(client, "https://nowhere.test/"))

    assert {(error.code, error.detail) for error in errors} == {
        (OutboundCode.DNS_FAILED, "the name nowhere.test does not exist")
    }
    assert len(names.asked) == 2


async def test_a_look_up_that_takes_too_long_ends_at_the_deadline_and_may_still_serve_others(
    make_client: MakeClient,
) -> None:
    class SlowNames(Names):
        async def addresses(self, host: str) -> tuple[str, ...]:
            await free.wait()
            return await super().addresses(host)

    free, names = asyncio.Event(), SlowNames({"slow.test": ("127.0.0.1",)})
    client = make_client(resolver=names)
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="slow.test"))
        patient = asyncio.ensure_future(client.post(target, b"", b"{}"))
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"{}", timeout_seconds=0.01)
        free.set()

        assert caught.value.code is OutboundCode.DNS_FAILED
        assert (await patient).status == 200
        assert names.asked == ["slow.test"]


async def test_a_dead_address_is_passed_over_and_the_good_one_remembered(make_client: MakeClient) -> None:
    client = make_client(
        resolver=Names({"two.test": ("127.0.0.2", "127.0.0.1")}), limits={"max_idle_per_pool": 0}
    )
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url(host="two.test"))
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]

        assert [answer.address for answer in answers] == ["127.0.0.1"] * 2


async def test_a_resolver_without_answers_is_a_failed_look_up(make_client: MakeClient) -> None:
    error = await refusal(make_client(resolver=Names({"empty.test": ()})), "https://empty.test/")

    assert error.code is OutboundCode.DNS_FAILED


@pytest.mark.parametrize(
    ("policy", "url", "code"),
    [
        pytest.param(EgressPolicy(), lambda r: r.url(), OutboundCode.URL_REFUSED, id="literal"),
        pytest.param(
            read_allow_list(["10.0.0.0/8"]), lambda r: r.url(), OutboundCode.URL_REFUSED, id="other network"
        ),
        pytest.param(
            read_allow_list(["10.0.0.0/8"]),
            lambda r: r.url(host="x.test"),
            OutboundCode.ADDRESS_REFUSED,
            id="name",
        ),
        pytest.param(
            EgressPolicy(), lambda r: r.url(host="x.test"), OutboundCode.URL_REFUSED, id="plain http"
        ),
    ],
)
async def test_a_changed_policy_holds_for_targets_answers_and_connections_at_once(
    make_client: MakeClient, policy: EgressPolicy, url: Callable[[Receiver], str], code: OutboundCode
) -> None:
    client = make_client(resolver=Names({"x.test": ("127.0.0.1",)}))
    async with listening(answering(OK)) as receiver:
        target = client.target(url(receiver))
        await client.post(target, b"", b"{}")
        client.use_policy(policy)
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"{}")
        client.use_policy(LOOPBACK)
        response = await client.post(target, b"", b"{}")

        assert caught.value.code is code
        assert (response.status, response.is_reused_connection) == (200, False)
        assert receiver.visits == 2


async def test_a_connection_in_use_while_the_policy_changes_is_not_kept(make_client: MakeClient) -> None:
    client = make_client()
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url())
        call = asyncio.ensure_future(client.post(target, b"", b"{}"))
        await receiver.saw(requests=1)
        client.use_policy(LOOPBACK)
        await call

        assert client.idle_connections == 0


async def test_the_machines_own_resolver_is_vetted_too(make_client: MakeClient) -> None:
    client = make_client(EgressPolicy(allow_hosts=frozenset({"localhost"})), resolver=SystemResolver())
    async with listening(answering(OK)) as receiver:
        response = await client.post(client.target(receiver.url(host="localhost")), b"", b"{}")

        assert (response.status, response.address) == (200, "127.0.0.1")


async def test_a_name_that_the_machine_does_not_know_is_a_failed_look_up(make_client: MakeClient) -> None:
    client = make_client(EgressPolicy(), resolver=SystemResolver())
    error = await refusal(client, "https://no-such-name.invalid/")

    assert error.code is OutboundCode.DNS_FAILED


async def test_a_resolver_that_breaks_is_our_fault(make_client: MakeClient) -> None:
    class Broken:
        async def addresses(self, host: str) -> tuple[str, ...]:
            raise ZeroDivisionError(host)

    error = await refusal(make_client(resolver=Broken()), "https://receiver.test/")

    assert (error.code, error.is_ours) == (OutboundCode.DNS_FAILED, True)
