"""Salesforce's login by a signed assertion, which no golden exchange can hold: its bytes differ with the key."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.config.connectors import shipped_manifests
from hub.flow.repositories import Store
from hub.model.actions import ActionCall
from tests.connectors.golden import KEY, NAME, clock_at, connection_of, engine
from tests.connectors.provider import providing

SANDBOX = "https://acme--test.sandbox.my.salesforce.com"


async def test_a_certificate_logs_in_at_the_sandbox(store: Store) -> None:
    private = generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    fields = {
        "login_url": "https://test.salesforce.com",
        "client_id": "ck1",
        "username": "hub@acme.example",
        "private_key": pem,
    }
    connection = connection_of(shipped_manifests()["salesforce"], {"auth": {"jwt": fields}})
    call = ActionCall(
        name="salesforce.update_record",
        connection=NAME,
        inputs={"id": "003A", "fields": {"Title": "Owner"}},
        key=KEY,
        attempt=1,
        timeout_ms=5_000,
    )

    given = {"json": {"access_token": "test-session-1", "instance_url": SANDBOX}}
    async with providing([given, {"status": 204}]) as (provider, caller):
        await engine(store, caller, [connection]).actions.run(call)

    login, change = provider.asked
    assert login.url == "https://test.salesforce.com/services/oauth2/token"
    assert login.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    signed, _, signature = login.form["assertion"].rpartition(".")
    private.public_key().verify(_bytes(signature), signed.encode(), PKCS1v15(), SHA256())
    now = clock_at().now_ms() // 1000
    assert json.loads(_bytes(signed.partition(".")[2])) == {
        "iss": "ck1",
        "sub": "hub@acme.example",
        "aud": "https://test.salesforce.com",
        "iat": now,
        "exp": now + 180,
    }
    assert change.url == f"{SANDBOX}/services/data/v66.0/sobjects/Contact/003A"
    assert change.headers["authorization"] == "Bearer test-session-1"


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
