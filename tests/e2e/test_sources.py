"""docs/inbound-sources.md as it is followed: set up Stripe, be told, look at what was rejected, change the file."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import ROOT, RunningHub, wait_for

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "inbound-sources.md").read_text("utf-8")
SECRET = "whsec_test_of_forty_characters_0123456789"
BODY = '{"id":"evt_1QXyz","type":"checkout.session.completed","data":{"object":{"amount_total":4200}}}'


def shown_files() -> list[str]:
    """The files that the page shows, in their order."""
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in blocks]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that was set up as the page says."""
    hub = RunningHub(tmp_path_factory.mktemp("sources"), STRIPE_WEBHOOK_SECRET=SECRET, ERP_SECRET="erp")
    write(hub, shown_files()[0])
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()


def write(hub: RunningHub, text: str) -> None:
    path = Path(hub.folder) / "connections.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def tell(
    hub: RunningHub, body: str = BODY, *, secret: str = SECRET, name: str = "stripe"
) -> tuple[int, bytes]:
    """Tell as Stripe does."""
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=20)
    try:
        connection.request("POST", f"/hooks/{name}", body, {"Stripe-Signature": header})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_page_is_followed(told: RunningHub, receiver: Receiver) -> None:
    rest = Rest(told.port, told.key)
    rest.register(receiver.url("/sources"), "source.*", line="*")

    assert f"http://127.0.0.1:{told.port}/hooks/stripe" in told.command("sources", "list")
    assert "Believed; 1 event" in told.command("sources", "test", "stripe")
    assert [tell(told), tell(told)] == [(200, b""), (200, b"")]
    assert tell(told, secret="whsec_other")[0] == 401
    (delivered,) = receiver.wait("/sources", 1)
    assert delivered.type == "source.received"
    assert "source.received" in told.command("events")
    rejected = told.command("sources", "rejected", "stripe")
    assert "bad_signature" in rejected
    assert SECRET not in rejected
    (event,) = rest.get("/v1/events", type="source.*")["data"]
    assert event["data"]["payload"]["data"]["object"]["amount_total"] == 4200
    assert f"{event['id']}  source.received" in told.command("explain", event["id"])


def test_a_change_of_the_file_counts_within_seconds_and_a_broken_one_never(told: RunningHub) -> None:
    rest = Rest(told.port, told.key)
    own = shown_files()[1].partition("sources:\n")[2]
    write(told, shown_files()[0] + own)
    wait_for(lambda: [each["name"] for each in rest.get("/v1/sources")["data"]] == ["erp", "stripe"])

    write(told, "sources: {")
    wait_for(lambda: "connections.refused" in told.process.output)

    assert tell(told, BODY.replace("evt_1QXyz", "evt_2"))[0] == 200
    assert tell(told, name="nobody")[0] == 404
