"""Google Sheets is asked as a service account: what Google is given for a token can be verified."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.config.connectors import shipped_manifests
from hub.flow.repositories import Store
from tests.connectors.golden import NAME, RSA_KEY, connection_of, engine, rsa_key
from tests.connectors.provider import providing

WRITTEN = {
    "auth": {
        "service_account": {
            "client_email": "hub@acme.example",
            "private_key_id": "k1",
            "private_key": RSA_KEY,
        }
    },
    "vars": {"spreadsheet": "test-spreadsheet-1"},
}


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_a_token_is_asked_for_by_an_assertion_that_google_can_verify(store: Store) -> None:
    connection = connection_of(shipped_manifests()["google_sheets"], WRITTEN)
    answers: list[dict[str, Any]] = [
        {"json": {"access_token": "test-access-token-1", "expires_in": 3599}},
        {"json": {"properties": {"title": "Leads"}}},
    ]
    async with providing(answers) as (provider, caller):
        await engine(store, caller, [connection]).actions.test(NAME)

    signed, _, signature = provider.asked[0].form["assertion"].rpartition(".")
    private = load_pem_private_key(rsa_key().encode(), password=None)
    assert isinstance(private, RSAPrivateKey)
    private.public_key().verify(decoded(signature), signed.encode(), PKCS1v15(), SHA256())
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert claims == {
        "iss": "hub@acme.example",
        "scope": "https://www.googleapis.com/auth/spreadsheets",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1787306400,
        "exp": 1787310000,
    }
