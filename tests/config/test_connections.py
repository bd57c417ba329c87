"""connections.yaml: what is wrong is told with its place and how to mend it, and no message shows a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config.connections import load_sources
from hub.config.problems import ConfigError
from hub.flow.source_book import REREAD_MS, SourceBook
from hub.rules.sources.model import Source, SourceSecret

ENVIRON = {"S": "a-shared-secret", "W": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "EMPTY": ""}
OWN = "verify: { hmac: sha256, header: x-s }"


def problems_of(folder: Path, text: str) -> list[str]:
    """What stands in the messages: `line: key: what | why | fix`."""
    path = folder / "connections.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_sources(path, ENVIRON)
    return [
        f"{each.line}: {each.key}: {each.what} | {each.why} | {each.fix}" for each in caught.value.problems
    ]


def read(folder: Path, text: str) -> list[Source]:
    path = folder / "connections.yaml"
    path.write_text(text, "utf-8")
    return list(load_sources(path, ENVIRON))


#: (what stands below `sources:`, what the message holds)
MISTAKES = [
    ("  a: { verify: strpe, secret: { env: S } }", "Did you mean stripe"),
    ("  a: { verify: nothing-like-it, secret: { env: S } }", "Use one of attio, calendly"),
    ("  a: { secret: { env: S } }", "a source needs `verify`"),
    ("  a: { verify: stripe }", "a has no secret"),
    ("  a: { verify: discord }", "a has no public key"),
    ("  a: { verify: whatsapp, secret: { env: S } }", "a has no `verify_token`"),
    ("  a: { verify: stripe, secret: { env: S }, verify_token: { env: S } }", "`verify_token` says nothing"),
    ("  a: { verify: stripe, secret: sk_live_hunter2 }", "a secret is named by env or file"),
    ("  a: { verify: stripe, secret: { env: S, file: /x } }", "a secret is named by env or file"),
    ("  a: { verify: stripe, secret: { env: 'no name' } }", "it is the name of an environment variable"),
    ("  a: { verify: stripe, secret: { env: MISSING } }", "environment variable MISSING has no secret | it is not set"),
    ("  a: { verify: stripe, secret: { env: EMPTY } }", "it is empty | Set EMPTY where the hub is started"),
    ("  a: { verify: stripe, secret: { file: /nowhere/at/all } }", "/nowhere/at/all has no secret"),
    ("  a: { verify: stripe, secrets: { env: S } }", "Did you mean secret"),
    ("  a: { verify: standard-webhooks, secret: { env: S } }", "it is not base64 after whsec_"),
    ("  a: { verify: close, secret: { env: S } }", "it is not hex"),
    ("  a: { verify: discord, public_key: abcd }", "it is no public key of ed25519"),
    ("  a: { verify: stripe, secret: { env: S }, public_key: abcd }", "this source signs with a shared secret"),
    ("  a: { verify: stripe, secret: { env: S }, remember: 7 }", "a number alone does not say of what"),
    ("  a: { verify: github, secret: { env: S }, tolerance: 5m }", "this source signs no time"),
    ("  a: { verify: whatsapp, secret: { env: S }, verify_token: { env: S }, event: body.x }", "Write `split`, too"),
    ("  A b: { verify: stripe, secret: { env: S } }", "a source's name is 'A b'"),
    ("  webhook: { verify: stripe, secret: { env: S } }", "a source's name is 'webhook'"),
    ("  - stripe", "`sources` is a list"),
    ("  a: stripe", "a source is 'stripe'"),
    ("  a: { verify: { hmac: sha256 }, secret: { env: S } }", "`verify` needs `header`"),
    ("  a: { verify: { hmac: md5, header: x-s }, secret: { env: S } }", "`hmac` is 'md5'"),
    ("  a: { verify: { hmac: , header: x-s }, secret: { env: S } }", "`hmac` is empty"),
    ("  a: { verify: { header: x-s }, secret: { env: S } }", "`verify` names no scheme"),
    ("  a: { verify: { hmac: sha1, hash: sha256, header: x-s }, secret: { env: S } }", "names hmac and hash"),
    ("  a: { verify: { hmac: sha256, header: x-s, sign: '{boddy}' }, secret: { env: S } }", "there is no {boddy}"),
    ("  a: { verify: { hmac: sha256, header: x-s, sign: '{url}' }, secret: { env: S } }",
     "anybody could change the body"),
    ("  a: { verify: { hmac: sha256, header: x-s, sign: '{timestamp}.{body}' }, secret: { env: S } }",
     "`sign` has {timestamp} | nothing says where it stands"),
    ("  a: { verify: { hmac: sha256, header: x-s, timestamp: { header: x-t } }, secret: { env: S } }",
     "a time that is not signed can be set to anything"),
    ("  a: { verify: { hmac: sha256, header: x-s, timestamp: { unit: s } }, secret: { env: S } }",
     "`timestamp` does not say where it stands"),
    ("  a: { verify: { hmac: sha256, header: x-s, sign: '{id}{body}' }, secret: { env: S } }", "Write id_header: x-id"),
    ("  a: { verify: { hmac: sha256, header: x-s, pair: '=' }, secret: { env: S } }", "told in half"),
    ("  a: { verify: { hash: sha256, header: x-s }, secret: { env: S } }", "without a secret in it anybody"),
    ("  a: { verify: { static: query }, secret: { env: S } }", "is no path"),
    ("  a: { verify: { static: query, path: body.x }, secret: { env: S } }", "here a path begins with query"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, event: type }}", "a path begins with body"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, event: '{{body.type' }}", "a brace has no partner"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, split: headers.x }}", "here a path begins with body"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, format: xml }}", "Write one of json, form, text, auto"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, answer: {{ status: 404 }} }}", "it is a whole number from 200 to 299"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, handshake: {{ method: PUT }} }}", "it is one of GET, POST"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, handshake: {{ when: ping }} }}", "it maps paths to values"),
    (f"  a: {{ {OWN}, secret: {{ env: S }}, with: body.x }}", "it is a map of names to paths"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_each_mistake_is_told(section: str, message: str, tmp_path: Path) -> None:
    found = problems_of(tmp_path, f"version: 1\nsources:\n{section}\n")

    assert any(message in each for each in found), found
    assert all(each.startswith("3: sources") for each in found), found
    assert "hunter2" not in "".join(found)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = "version: 2\nsource: {}\nsources:\n  a: { verify: strpe, secret: { env: S } }\n  b: { verify: stripe }\n"

    assert [each.partition(":")[0] for each in problems_of(tmp_path, text)] == ["2", "1", "4", "5"]


def test_no_message_shows_a_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "connections.yaml"
    path.write_text("sources:\n  a: { verify: strpe, secret: hunter2 }\n  b: [hunter2\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_sources(path, ENVIRON)

    assert "hunter2" not in str(caught.value)


def test_a_rotation_names_several_secrets(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("the-old-one\n", "utf-8")
    secrets = f"[ {{ env: S }}, {{ file: {tmp_path / 'old'} }} ]"
    (source,) = read(tmp_path, f"sources:\n  a: {{ verify: stripe, secret: {secrets} }}\n")

    assert source.secrets == (SourceSecret("a-shared-secret"), SourceSecret("the-old-one"))
    assert "the-old-one" not in repr(source)


def test_a_vendors_own_key_is_there_unless_another_is_given(tmp_path: Path) -> None:
    other = "GVZgPlYYfDGDBCZ6kJOJv3-".replace("-", "A") + "A" * 20
    (shipped,) = read(tmp_path, "sources:\n  a: { verify: highlevel }\n")
    (own,) = read(tmp_path, f"sources:\n  a: {{ verify: highlevel, public_key: {other} }}\n")

    assert [each.text[:4] for each in shipped.secrets] == ["MCow"]
    assert [each.text for each in own.secrets] == [other]


def test_other_sections_are_others_business(tmp_path: Path) -> None:
    assert read(tmp_path, "version: 1\nconnections: { a: { connector: x } }\nendpoints: {}\n") == []
    assert read(tmp_path, "") == []
    assert list(load_sources(tmp_path / "missing.yaml", ENVIRON)) == []


# ---- the book


class File:
    """A file that a test changes."""

    def __init__(self) -> None:
        self.stamp, self.sources, self.reads = 1, ["a"], 0
        self.error: ConfigError | None = None
        self.book = SourceBook(self._load, stamp=lambda: self.stamp)

    def _load(self) -> list[Source]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return [_source(name) for name in self.sources]


def _source(name: str) -> Source:
    from tests.support.inbound_sources import sources_of

    return sources_of(f"  {name}: {{ verify: stripe, secret: {{ env: S }} }}\n", ENVIRON)[0]


def test_a_change_is_read_and_nothing_else_is() -> None:
    file = File()
    file.book.refresh(0)
    file.book.refresh(1)
    assert file.reads == 1

    file.stamp, file.sources = 2, ["a", "b"]
    file.book.refresh(2)
    assert [each.name for each in file.book.all()] == ["a", "b"]


def test_secrets_in_files_are_read_again_within_a_minute() -> None:
    file = File()
    file.book.refresh(0)
    file.book.refresh(REREAD_MS)

    assert file.reads == 2


def test_a_broken_file_changes_nothing() -> None:
    file = File()
    file.book.refresh(0)
    file.stamp, file.error = 2, ConfigError([])
    file.book.refresh(1)

    assert [each.name for each in file.book.all()] == ["a"]
    assert file.book.fault is not None
    assert file.book.is_ready

    file.stamp, file.error = 3, None
    file.book.refresh(2)
    assert file.book.fault is None


def test_a_hub_that_starts_with_a_broken_file_knows_nothing() -> None:
    file = File()
    file.error = ConfigError([])
    file.book.refresh(0)

    assert not file.book.is_ready
    assert file.book.find("a") is None
