"""Golden exchanges: inputs, the exact requests that they lead to, what the provider answers, what the action gives.

They stand beside the manifest, connectors/<id>/exchanges/<action>.yaml; docs/writing-a-connector.md says what is in
them. Unknown keys fail, so that no assertion is lost by a slip.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import connectors
from hub.config.connectors import shipped_manifests
from hub.config.loader import load_document
from hub.config.plain import plain
from hub.connectors.actions import ConnectorActions
from hub.connectors.catalogue import Catalogue, catalogue
from hub.connectors.credentials import Credentials
from hub.connectors.exchanging import Exchanging
from hub.connectors.locks import Locks
from hub.connectors.paces import LocalPaces
from hub.connectors.states import StateBook
from hub.flow.calling import Caller
from hub.flow.connection_events import TellConnection, tell_nobody
from hub.flow.repositories import Store
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.model import Manifest
from hub.rules.connectors.reading import read_manifest
from hub.rules.connectors.secrets import SecretText
from hub.rules.expressions.filters.patterns import search
from tests.connectors.provider import Asked
from tests.support.manual_time import ManualClock

#: Of the step whose action it is: what `{{ key }}` gives.
KEY = "5f0c6b1a9d"
NOW = "2026-08-21T10:00:00Z"
#: The file that holds what is asked when a connection is tested.
TEST = "test"
NAME = "golden"
#: Of a case, for a field that takes a private key.
RSA_KEY = "a new RSA key"
_FILE_KEYS = {"connection", "named", "cases"}
_CASE_KEYS = {
    "name",
    "connection",
    "with",
    "exchanges",
    "output",
    "error",
    "works",
    "detail",
    "timeout",
    "requests",
}
_REQUEST_KEYS = {"method", "url", "query", "headers", "json", "form", "text", "body"}
_ANSWER_KEYS = {"status", "headers", "json", "text", "drop", "hang"}
_ERROR_KEYS = {"class", "status", "after_ms", "message", "details"}
#: Headers that the client sets by itself; they are not ours to check.
_WIRE_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "content-length", "connection"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One golden exchange."""

    connector: str
    action: str
    name: str
    connection: Mapping[str, Any]
    written: Mapping[str, Any]
    path: Path

    @property
    def id(self) -> str:
        return f"{self.connector}.{self.action}: {self.name}"


def cases(folder: Path = connectors.FOLDER) -> Iterator[Case]:
    """Give every case of every connector."""
    for path in sorted(folder.glob("*/exchanges/*.yaml")):
        for written in written_cases(read(path)):
            yield Case(
                connector=path.parent.parent.name,
                action=path.stem,
                name=written["name"],
                connection=written["connection"],
                written=written,
                path=path,
            )


def written_cases(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the cases of a file, each whole."""
    assert set(document) <= _FILE_KEYS, f"unknown keys {set(document) - _FILE_KEYS}"
    for written in document["cases"]:
        assert set(written) <= _CASE_KEYS, f"{written['name']}: unknown keys {set(written) - _CASE_KEYS}"
        connection = written.get("connection", document.get("connection", {}))
        exchanges = _exchanges(written, document.get("named", {}))
        yield {**written, "connection": connection, "exchanges": exchanges}


def _exchanges(written: Mapping[str, Any], named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the exchanges with what they call by name."""
    found = []
    for each in written.get("exchanges", []):
        assert set(each) == {"request", "answer"}, (
            f"{written['name']}: an exchange has a request and an answer"
        )
        found.append({key: named[value] if isinstance(value, str) else value for key, value in each.items()})
    return found


def read(path: Path) -> Any:
    """Read a file of cases, as strictly as everything else."""
    return plain(load_document(path.read_bytes(), source=str(path), is_prose=True))


def manifest_of(text: str) -> Manifest:
    """Read a manifest that is written in a test."""
    found = read_manifest(plain(load_document(text, source="manifest.yaml", is_prose=True)))
    assert isinstance(found, Manifest), "\n".join(map(str, found))
    return found


@cache
def rsa_key() -> str:
    """Make a private key, PEM; the same for all cases."""
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def connection_of(manifest: Manifest, written: Mapping[str, Any], *, name: str = NAME) -> Connection:
    """Make a connection from the words of a case; its secrets are no secrets."""
    assert set(written) <= {"auth", "vars"}, f"unknown keys of a connection: {sorted(written)}"
    kind, given = next(iter((written.get("auth") or {"none": {}}).items()))
    auth = manifest.auth[kind]
    assert set(given or {}) <= set(auth.fields), f"{kind} has no {sorted(set(given) - set(auth.fields))}"
    fields: dict[str, Any] = {}
    for field in auth.fields.values():
        value = (given or {}).get(field.name, field.default)
        if value is None:
            assert not field.is_required, f"{kind} needs {field.name}"
            continue
        if value == RSA_KEY:
            value = rsa_key()
        if field.pattern is not None:
            assert search(field.pattern, str(value)), f"{field.name} has another form"
        if field.is_secret and isinstance(value, list):
            fields[field.name] = tuple(SecretText(str(each)) for each in value)
        else:
            fields[field.name] = SecretText(str(value)) if field.is_secret else str(value)
    variables = {**manifest.vars, **written.get("vars", {})}
    return Connection(name=name, manifest=manifest, auth=auth, fields=fields, vars=variables)


def clock_at(text: str = NOW) -> ManualClock:
    """A clock that stands at an instant."""
    return ManualClock(round(datetime.fromisoformat(text).timestamp() * 1000))


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Everything that does what a manifest says, and its clock."""

    actions: ConnectorActions
    credentials: Credentials
    catalogue: Catalogue
    clock: ManualClock
    locks: Locks


def engine(
    store: Store,
    caller: Caller,
    connections: Sequence[Connection],
    *,
    clock: ManualClock | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    tell: TellConnection = tell_nobody,
) -> Engine:
    """Wire the engine as the hub does, but for the clock and the last hop.

    Args:
        store: Keeps states and locks.
        caller: The way out.
        connections: With their manifests, which are added to those that ship.
        clock: Stands still until it is moved; who waits moves it.
        sleep: For several engines at once: waiting that lets the others go on.
        tell: Hears of pauses.
    """
    clock = clock or clock_at()
    sleep = sleep or clock.sleep
    manifests = {**shipped_manifests(), **{each.manifest.id: each.manifest for each in connections}}
    found = catalogue(manifests, {each.name: each for each in connections})
    locks = Locks(store.repeats, clock, sleep)
    credentials = Credentials(StateBook(store.connection_states), locks, clock, tell=tell)
    exchanging = Exchanging(caller, credentials, LocalPaces(), clock=clock, sleep=sleep)
    actions = ConnectorActions(lambda: found, exchanging, locks, clock=clock)
    return Engine(actions=actions, credentials=credentials, catalogue=found, clock=clock, locks=locks)


# ---- comparing


def check_request(asked: Asked, wanted: Mapping[str, Any], place: str) -> None:
    """Hold a request to what a case says of it: method, URL and body exactly; the headers that it names."""
    assert set(wanted) <= _REQUEST_KEYS, f"{place}: unknown keys {set(wanted) - _REQUEST_KEYS}"
    assert (asked.method, asked.url) == (wanted.get("method", "GET"), wanted["url"]), place
    assert sorted(asked.query) == _pairs(wanted.get("query") or {}), f"{place}: query"
    for name, value in (wanted.get("headers") or {}).items():
        assert asked.headers.get(name.lower()) == (None if value is None else str(value)), f"{place}: {name}"
    own = set(asked.headers) - _WIRE_HEADERS - {"content-type"}
    unnamed = own - {name.lower() for name in wanted.get("headers") or {}}
    assert not unnamed, f"{place}: headers that the case does not name: {sorted(unnamed)}"
    if "json" in wanted:
        assert asked.headers.get("content-type") == "application/json", f"{place}: content-type"
        assert asked.json == wanted["json"], f"{place}: json"
    elif "form" in wanted:
        assert asked.headers.get("content-type") == "application/x-www-form-urlencoded", place
        form = parse_qsl(asked.body.decode(), keep_blank_values=True)
        assert sorted(form) == _pairs(wanted["form"]), f"{place}: form"
    elif "text" in wanted:
        assert asked.body.decode() == wanted["text"], f"{place}: text"
    elif "body" in wanted:
        assert matches(asked.body.decode(), wanted["body"]), f"{place}: body"
    else:
        assert asked.body == b"", f"{place}: it has a body"


def _pairs(wanted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give names and values in order; a name with a list stands there several times."""
    each = ((name, value if isinstance(value, list) else [value]) for name, value in wanted.items())
    return sorted((name, str(value)) for name, values in each for value in values)


def check_answer_keys(answer: Mapping[str, Any], place: str) -> None:
    """Refuse an answer with a key that means nothing."""
    assert set(answer) <= _ANSWER_KEYS, f"{place}: unknown keys {set(answer) - _ANSWER_KEYS}"


def check_error(error: Any, wanted: Mapping[str, Any], place: str) -> None:
    """Hold a failure to what a case says of it."""
    assert set(wanted) <= _ERROR_KEYS, f"{place}: unknown keys {set(wanted) - _ERROR_KEYS}"
    assert error.error_class == wanted["class"], f"{place}: {error.error_class}: {error.message}"
    if "status" in wanted:
        assert error.status == wanted["status"], place
    if "after_ms" in wanted:
        assert error.after_ms == wanted["after_ms"], place
    if "details" in wanted:
        assert dict(error.details) == wanted["details"], place
    if "message" in wanted:
        assert matches(error.message, wanted["message"]), f"{place}: {error.message}"


def matches(text: str, wanted: object) -> bool:
    """Tell whether a text has a part, or fits a pattern between slashes."""
    words = str(wanted)
    if len(words) > 2 and words[0] == words[-1] == "/":
        return re.search(words[1:-1], text) is not None
    return words in text


def hidden(connection: Connection) -> list[str]:
    """Give what nothing that is shown may have: its secrets and, of secret addresses, where on their host they lead."""
    found = []
    for secret in connection.secrets():
        address = urlsplit(secret)
        found += [secret, address.path.strip("/")] if address.scheme in ("http", "https") else [secret]
    return [each for each in found if len(each) > 5]


def shown_secrets(value: object) -> str:
    """Write anything that must not hold a secret."""
    return json.dumps(value, default=str)
