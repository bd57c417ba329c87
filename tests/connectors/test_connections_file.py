"""connections.yaml is the only place that names secrets: it holds none, shows none, and every mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

import connectors
from hub.config.connectors import (
    load_connections,
    load_connectors,
    own_manifest_files,
    shipped_manifests,
)
from hub.config.problems import ConfigError
from hub.config.settings import load_settings
from hub.rules.connectors.connections import Connection
from tests.connectors.test_engine import MANIFEST

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRON = {
    "HUBSPOT": "test-token-1",
    "EMPTY": "",
    "SIGNING": SIGNING,
    "BAD_SIGNING": "whsec_???",
    "DISCORD": " https://discord.com/api/webhooks/123456/test-webhook-token\n",
    "ELSEWHERE": "https://discord.example/api/webhooks/123456/test-webhook-token",
}


def load(tmp_path: Path, text: str) -> dict[str, Connection]:
    path = tmp_path / "connections.yaml"
    path.write_text(text, "utf-8")
    return load_connections(path, shipped_manifests(), ENVIRON)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    return [
        f"{each.line}:{each.column} {each.key}: {each.what}: {each.why}. {each.fix}"
        for each in refused.value.problems
    ]


def test_a_connection_has_its_secrets_from_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" test-token-2\n", "utf-8")
    found = load(
        tmp_path,
        f"""
version: 1
connections:
  main: {{ connector: hubspot, auth: {{ private_app: {{ token: {{ env: HUBSPOT }} }} }}, vars: {{ api: 2026-09 }} }}
  other: {{ connector: hubspot, auth: {{ private_app: {{ token: {{ file: {tmp_path / "token"} }} }} }} }}
endpoints:
  warehouse:
    url: https://dw.example.com
    sign: standard-webhooks
    secret: [{{ env: SIGNING }}, {{ env: SIGNING }}]
""",
    )

    assert found["main"].revealed() == {"token": "test-token-1"}
    assert found["main"].vars == {"api": "2026-09"}
    assert found["other"].revealed() == {"token": "test-token-2"}
    assert found["warehouse"].revealed() == {"url": "https://dw.example.com", "secret": [SIGNING, SIGNING]}
    assert found["warehouse"].public() == {"url": "https://dw.example.com"}
    assert "test-token" not in repr(found)
    assert SIGNING not in repr(found)


def test_no_file_has_no_connections(tmp_path: Path) -> None:
    assert load_connections(tmp_path / "none.yaml", shipped_manifests(), {}) == {}


HUBSPOT = "connections:\n  main: { connector: hubspot, auth: { private_app: { token: %s } } }\n"

MISTAKES = [
    (HUBSPOT % "test-token-1", "2:61 connections.main.auth.private_app.token: `token` is named by env or file: secrets do not stand in files that are copied and committed. Write { env: NAME_OF_A_VARIABLE } or { file: /run/secrets/name }"),  # noqa: E501
    (HUBSPOT % "{ env: HUBSPOT_TOKN }", "2:61 connections.main.auth.private_app.token: environment variable HUBSPOT_TOKN has no secret: it is not set. Set HUBSPOT_TOKN where the hub is started"),  # noqa: E501
    (HUBSPOT % "{ env: EMPTY }", "2:61 connections.main.auth.private_app.token: environment variable EMPTY has no secret: it is empty. Set EMPTY where the hub is started"),  # noqa: E501
    (HUBSPOT % "{ file: /nowhere/token }", "2:61 connections.main.auth.private_app.token: /nowhere/token has no secret: No such file or directory. Check the path and its permissions"),  # noqa: E501
    (HUBSPOT % "{ env: HUBSPOT, file: /x }", "2:61 connections.main.auth.private_app.token: `token` cannot be read: secrets do not stand in files that are copied and committed. Write { env: NAME_OF_A_VARIABLE } or { file: /run/secrets/name }"),  # noqa: E501
    (HUBSPOT % "{ env: 'A B' }", "2:68 connections.main.auth.private_app.token.env: `env` cannot be read: it is the name of an environment variable. Write { env: NAME_OF_A_VARIABLE } or { file: /run/secrets/name }"),  # noqa: E501
    ("connections:\n  main: { connector: hubspt }\n", "2:22 connections.main.connector: there is no connector 'hubspt': it is not here. Did you mean hubspot"),  # noqa: E501
    ("connections:\n  main: { auth: {} }\n", "2:9 connections.main: a connection needs `connector`: it is missing. Write connector: hubspot"),  # noqa: E501
    ("connections:\n  main: { connector: hubspot }\n", "2:9 connections.main: `auth` is nothing: it names one of private_app, oauth. Write auth: { private_app: { … } }"),  # noqa: E501
    ("connections:\n  main: { connector: hubspot, auth: { privat_app: {} } }\n", "2:51 connections.main.auth.privat_app: HubSpot knows no 'privat_app': nothing reads it. Did you mean private_app"),  # noqa: E501
    ("connections:\n  main: { connector: hubspot, auth: { private_app: {} } }\n", "2:52 connections.main.auth.private_app: `token` is missing: it is the Access token. Write token: { env: … }"),  # noqa: E501
    (HUBSPOT.replace("} }\n", "}, vars: { apy: 1 } }\n") % "{ env: HUBSPOT }", "2:96 connections.main.vars.apy: `vars` has no 'apy': nothing reads it. Did you mean api"),  # noqa: E501
    ("connections:\n  main: { connector: smtp, auth: { relay: { host: x.example, security: ssl } }, vars: { from: a@x.example } }\n", "2:34 connections.main.auth: this is no Security of Mail server (SMTP): it is to look like starttls. Copy it again: starttls, tls, or none: in the clear, for servers of outbound.allow only"),  # noqa: E501
    ("endpoints:\n  w: { url: https://x.example }\n", "2:6 endpoints.w: `secret` is missing: it is the Signing secret. Write secret: { env: … }"),  # noqa: E501
    ("endpoints:\n  w: { url: https://x.example, secret: { env: BAD_SIGNING } }\n", "2:40 endpoints.w.secret: the secret of w cannot sign: the signing secret is not base64 (A-Z a-z 0-9 + / =); expected whsec_ followed by the base64 of 24 to 64 random bytes. Give the secret that the receiver knows, such as whsec_…"),  # noqa: E501
    ("connection:\n  a: 1\n", "2:3 connection: the file has no 'connection': nothing reads it. Did you mean connections"),  # noqa: E501
    ("version: 2\n", "1:10 version: `version` is another one: this hub reads 1. Write version: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), MISTAKES, ids=[each[1][:50] for each in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_without_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in problems(tmp_path, text)


def test_a_literal_secret_is_refused_wherever_it_stands_and_never_shown(tmp_path: Path) -> None:
    literal = "xox" + "b-123-456"
    path = tmp_path / "connections.yaml"
    path.write_text(
        f"""
connections:
  a: {{ connector: slack, auth: {{ bot: {{ token: {literal} }} }} }}
  b: {{ connector: hubspot, auth: {{ private_app: {{ token: {{ env: HUBSPOT }} }} }}, vars: {{ api: {literal} }} }}
  c: {{ connector: http, auth: {{ bearer: {{ base_url: "https://x.example/{literal}", token: {{ env: HUBSPOT }} }} }} }}
  d: {{ connector: slack, auth: {{ bot: {{ token: {{ env: {literal} }} }} }} }}
""",
        "utf-8",
    )
    with pytest.raises(ConfigError) as refused:
        load_connections(path, shipped_manifests(), ENVIRON)

    assert [each.line for each in refused.value.problems] == [3, 4, 5, 6]
    assert literal not in str(refused.value)


def test_two_of_a_name_are_refused(tmp_path: Path) -> None:
    text = (
        HUBSPOT % "{ env: HUBSPOT }"
        + "endpoints:\n  main: { url: https://x.example, secret: { env: SIGNING } }\n"
    )

    assert [each.partition(": ")[2] for each in problems(tmp_path, text)] == [
        "main is there twice: connections and endpoints share their names. Give one of them another name"
    ]


def test_connectors_of_ones_own_are_read_beside_those_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "own" / "acme").mkdir(parents=True)
    (tmp_path / "own" / "acme" / "manifest.yaml").write_text(MANIFEST, "utf-8")
    found = load_connectors(tmp_path / "none.yaml", tmp_path / "own", {})

    assert set(found.manifests) == {*shipped_manifests(), "acme"}


def test_a_mistake_in_a_connector_of_ones_own_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "own" / "acme").mkdir(parents=True)
    path = tmp_path / "own" / "acme" / "manifest.yaml"
    path.write_text(
        MANIFEST.replace("id: acme", "id: acne").replace("method: POST", "methid: POST", 1), "utf-8"
    )
    with pytest.raises(ConfigError) as refused:
        load_connectors(tmp_path / "none.yaml", tmp_path / "own", {})

    assert f"{path}:18:24: actions.add.request.methid: a request has no 'methid'" in str(refused.value)
    assert "fix: Did you mean method" in str(refused.value)


def test_a_secret_of_another_form_is_told_and_not_shown(tmp_path: Path) -> None:
    text = """
connections:
  right: { connector: discord, auth: { webhook: { url: { env: DISCORD } } } }
  wrong: { connector: discord, auth: { webhook: { url: { env: ELSEWHERE } } } }
"""

    found = problems(tmp_path, text)

    assert found == [
        "4:56 connections.wrong.auth.webhook.url: this is no Webhook URL of Discord: it is to look like "
        "https://discord.com/api/webhooks/…/…. Copy it again: Edit Channel → Integrations → Webhooks → Copy Webhook URL"
    ]


def test_own_connectors_stand_beside_routes_and_connections() -> None:
    settings = load_settings(None, {})

    assert (settings.connectors_folder, settings.connections_file, settings.routes.folder) == (
        Path("./connectors"),
        Path("./connections.yaml"),
        Path("./routes"),
    )


def test_a_hub_in_its_source_tree_does_not_take_its_connectors_for_the_operators() -> None:
    assert own_manifest_files(Path(connectors.__file__).parent) == []
