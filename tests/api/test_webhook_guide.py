"""The code in docs/webhooks.md works as it stands, on deliveries as we sign them."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import hub
from hub.rules.signing import Secret, StandardSigner
from tests.support.node import find_node

GUIDE = (Path(hub.__file__).parent.parent / "docs" / "webhooks.md").read_text()
NOW = 1_800_000_000
SECRETS = [Secret.from_bytes(bytes(range(first, first + 32))) for first in (0, 32)]
BODY = '{"event":"message.received","data":{"text":"Grüße"},"timestamp":1800000000123,"delivery_id":"dlv_1"}'.encode()

Verify = Callable[[str, dict[str, str], bytes], bool]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def headers(*, sent_at: int = NOW, secrets: list[Secret] = SECRETS) -> dict[str, str]:
    signature = StandardSigner(secrets).sign(b"evt_1", sent_at, BODY).decode()
    return {"webhook-id": "evt_1", "webhook-timestamp": str(sent_at), "webhook-signature": signature}


@pytest.fixture(params=["python", "js"])
def verify(request: pytest.FixtureRequest, tmp_path: Path) -> Verify:
    """The guide's `verify`, at the moment `NOW`."""
    if request.param == "python":
        names: dict[str, Callable[..., bool]] = {}
        exec(block("python"), names)
        return lambda secret, sent, body: names["verify"](secret, sent, body, NOW)
    node = find_node()
    module = tmp_path / "verify.mjs"
    ask = "const [s, h, b] = JSON.parse(process.argv[2]); console.log(verify(s, h, Buffer.from(b, 'base64'), NOW));"
    module.write_text(f"{block('js')}\n{ask.replace('NOW', str(NOW))}")

    def by_node(secret: str, sent: dict[str, str], body: bytes) -> bool:
        asked = json.dumps([secret, sent, base64.b64encode(body).decode()])
        said = subprocess.run([node, str(module), asked], capture_output=True, text=True, check=True).stdout
        return said.strip() == "true"

    return by_node


@pytest.mark.slow
def test_the_guides_code(verify: Verify) -> None:
    new, old = (secret.text for secret in SECRETS)
    other = Secret.from_bytes(bytes(64)[:40]).text

    assert verify(new, headers(), BODY)
    assert verify(old, headers(), BODY), "during a rotation the old secret counts too"
    assert verify(new, headers(sent_at=NOW - 300), BODY)
    assert not verify(other, headers(), BODY)
    assert not verify(new, headers(), BODY + b" ")
    assert not verify(new, headers(sent_at=NOW - 301), BODY)
    assert not verify(new, headers(sent_at=NOW + 301), BODY)
    assert not verify(new, {**headers(), "webhook-id": "evt_2"}, BODY)
    assert not verify(new, {**headers(), "webhook-signature": "v1,"}, BODY)
    assert not verify(new, {**headers(), "webhook-timestamp": "soon"}, BODY)
    assert not verify(new, {}, BODY)
