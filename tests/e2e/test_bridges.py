"""A bridge that runs inside the hub, set up beside it as docs/bridges.md says: an SMS out, its status, and one in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from anyio.from_thread import start_blocking_portal

from hub.flow.bridge_kinds import HookRequest
from tests.bridge.networks import serving
from tests.bridge.twilio.fake_twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub, wait_for
from tests.support.manual_time import ManualClock

pytestmark = pytest.mark.slow

LINE, CONTACT = "+15550100700", "+15550100001"


class Customer:
    """Somebody with a hub and a Twilio account."""

    def __init__(self, folder: Path, api_url: str, twilio: FakeTwilio) -> None:
        self.twilio, self.api_url = twilio, api_url
        self.hub = RunningHub(folder, HUB_TWILIO=TOKEN)
        self.hub.env["HUB_WEB__BASE_URL"] = f"http://127.0.0.1:{self.hub.port}"

    @property
    def rest(self) -> Rest:
        return Rest(self.hub.port, self.hub.key)

    def add(self) -> str:
        """Add the bridge beside the running hub; give the hook's address."""
        printed = self.hub.command(
            "bridges", "add", "sms", "--kind", "twilio", "--line", LINE,
            "--set", f"account_sid={ACCOUNT}", "--set", "auth_token=env:HUB_TWILIO",
            "--set", f"api_url={self.api_url}", "--set", "poll_seconds=0",
        )  # fmt: skip
        assert TOKEN not in printed
        return next(line.removeprefix("hook: ") for line in printed.splitlines() if line.startswith("hook: "))


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    twilio = FakeTwilio(ManualClock(), numbers={LINE})
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(twilio.app)) as api_url,
    ):
        customer = Customer(tmp_path_factory.mktemp("bridges"), api_url, twilio)
        try:
            customer.hub.start()
            yield customer
        finally:
            customer.hub.stop()


def test_an_sms_goes_out_is_delivered_and_answered(customer: Customer) -> None:
    hook = customer.add()
    rest, twilio = customer.rest, customer.twilio
    twilio.sms_url = hook
    line = next(each for each in rest.get("/v1/lines")["data"] if each["handle"] == LINE)
    rest.ask("PATCH", f"/v1/lines/{line['id']}", {"is_contact_first": False})

    sent = rest.post("/v1/messages", {"from": LINE, "to": CONTACT, "text": "On our way"})
    path = f"/v1/messages/{sent['message_id']}"
    wait_for(lambda: twilio.messages or None)
    rest.until(path, lambda it: it["status"] == "sent")
    [out] = twilio.messages
    assert (out["to"], out["from"], out["body"]) == (CONTACT, LINE, "On our way")

    delivered = twilio.progress(out["sid"], "delivered")
    assert [customer.hub.hear(delivered), customer.hub.hear(delivered)] == [200, 200]
    rest.until(path, lambda it: it["status"] == "delivered")
    came = twilio.receive("Thanks!", sender=CONTACT, to=LINE)
    came = twilio.signed(dict(_pairs(came)), url=hook)
    assert customer.hub.hear(came) == 200
    [answer] = rest.get("/v1/messages", direction="inbound", **{"from": LINE})["data"]
    assert (answer["text"], answer["sender"]) == ("Thanks!", CONTACT)

    forged = twilio.signed(dict(_pairs(came)), url=hook, token="guessed")
    assert customer.hub.hear(forged) in {401, 403}


def test_the_doctor_says_how_it_is_and_nothing_secret(customer: Customer) -> None:
    if "sms" not in customer.hub.command("bridges", "list"):
        customer.twilio.sms_url = customer.add()
    findings = json.loads(customer.hub.command("bridges", "doctor", "sms", "--json"))["findings"]

    assert {each["state"] for each in findings} <= {"ok", "warning", "skipped"}, findings
    assert TOKEN not in json.dumps(findings)
    assert TOKEN not in customer.hub.process.output
    shown = customer.rest.get("/v1/bridges")["data"]
    assert next(each for each in shown if each["name"] == "sms")["settings"]["auth_token"] == "********"


def _pairs(request: HookRequest) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode(), keep_blank_values=True)
