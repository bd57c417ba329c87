"""The load is what the report says it is: 1 KB events in the normal form, all different, rightly signed."""

import json

import msgspec
import pytest

from hub.model.observation import Observation
from tests.load.observations import EVENT_BYTES, LoadPlan, bodies, observation, request, request_ids
from tests.load.signatures import verify_standard

_KEY = b"k" * 32


def _plan(count: int = 3, size: int = 1) -> LoadPlan:
    return LoadPlan(
        run="t1", lines=("+15550100001",), key=_KEY, count=count, first=10, events_per_request=size
    )


def test_each_event_has_one_kilobyte_of_normal_form() -> None:
    """Size and shape are part of the figures' meaning."""
    written = observation(_plan(), 12, 1_700_000_000_000)

    seen = msgspec.json.decode(written, type=Observation)

    assert len(written) == EVENT_BYTES
    assert seen.message is not None
    assert seen.message.provider_id == "t1-00000012"
    assert (seen.message.parts[0].text or "").startswith("load:t1:12:x")


@pytest.mark.parametrize(("count", "size", "expected"), [(3, 1, [1, 1, 1]), (5, 2, [2, 2, 1]), (2, 10, [2])])
def test_events_are_batched_in_order(count: int, size: int, expected: list[int]) -> None:
    """Every event is in exactly one request."""
    plan = _plan(count, size)

    written = [json.loads(body)["events"] for body in bodies(plan, 1)]
    guids = [event["message"]["provider_id"] for events in written for event in events]

    assert [len(events) for events in written] == expected
    assert guids == [f"t1-{number:08d}" for number in range(10, 10 + count)]
    assert len(request_ids(plan)) == len(expected)


def test_a_request_is_signed_over_its_exact_body() -> None:
    """By the bridge's secret, under the id that a repetition will carry too."""
    plan = _plan()
    head, _, body = request(plan, host=b"h:1", request_id=b"req_1", body=b"{}", now_seconds=5).partition(
        b"\r\n\r\n"
    )
    headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])

    assert body == b"{}"
    assert verify_standard(_KEY, b"req_1", b"5", body, headers[b"webhook-signature"])
