"""Find keys that are each right but do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hub.config.decode import find_place
from hub.config.nodes import Node
from hub.config.problems import Problem, problem_at
from hub.config.sections import Ai, Delivery, Files, Sandbox, Secrets
from hub.model.line_safety import SafetyPolicy
from hub.rules.line_policy import find_problem

if TYPE_CHECKING:
    from hub.config.settings import Settings

_ONE_OF_TWO = 'set the other one to ""'


class Contradiction(NamedTuple):
    """Two keys at odds."""

    #: The one that is shown.
    key: str
    why: str
    fix: str


def find_contradictions(settings: Settings, layers: Sequence[Node]) -> list[Problem]:
    """Give every contradiction, each at the place where its key was set last."""
    found = (
        *_in_files(settings.files),
        *_in_ai(settings.ai),
        *_in_delivery(settings.delivery),
        *_in_sandbox(settings.sandbox),
        *_in_secrets(settings.secrets),
        *_in_safety(settings.safety_policy),
    )
    return [
        problem_at(
            find_place(layers, each.key),
            key=each.key,
            what="this contradicts another key",
            why=each.why,
            fix=each.fix,
            is_secret=True,
        )
        for each in found
    ]


def _in_files(files: Files) -> Iterator[Contradiction]:
    if files.storage == "s3" and not files.s3_bucket:
        yield Contradiction(
            "files.s3_bucket",
            "files.storage is s3, and no bucket is named",
            "name the bucket, or set files.storage to folder",
        )
    if bool(files.s3_access_key) != bool(files.s3_secret_key or files.s3_secret_key_file):
        yield Contradiction(
            "files.s3_access_key",
            "an access key and its secret go together",
            "give both (files.s3_access_key, files.s3_secret_key or s3_secret_key_file), or neither",
        )
    if files.s3_secret_key and files.s3_secret_key_file:
        yield _given_twice("files.s3_secret_key", "files.s3_secret_key_file")


def _in_ai(ai: Ai) -> Iterator[Contradiction]:
    if ai.provider != "none" and not ai.model:
        yield Contradiction(
            "ai.model",
            f"ai.provider is {ai.provider}, and no model is named",
            "name the model, or set ai.provider to none",
        )
    if ai.provider == "openai_compatible" and not ai.base_url:
        yield Contradiction(
            "ai.base_url",
            "ai.provider is openai_compatible, which could be anywhere",
            "say where the server is, with the version: http://127.0.0.1:11434/v1",
        )
    if ai.api_key and ai.api_key_file:
        yield _given_twice("ai.api_key", "ai.api_key_file")
    if ai.daily_cost and not (ai.input_price or ai.output_price):
        yield Contradiction(
            "ai.daily_cost",
            "without prices nothing costs anything, so the limit would never be met",
            "set ai.input_price and ai.output_price, or ai.daily_cost to 0",
        )


def _in_delivery(delivery: Delivery) -> Iterator[Contradiction]:
    if delivery.breaker_open_max_seconds < delivery.breaker_open_seconds:
        yield Contradiction(
            "delivery.breaker_open_max_seconds",
            "it is below delivery.breaker_open_seconds",
            f"write {delivery.breaker_open_seconds} or more, or lower breaker_open_seconds",
        )


def _in_sandbox(sandbox: Sandbox) -> Iterator[Contradiction]:
    if sandbox.read_after_ms < sandbox.delivered_after_ms:
        yield Contradiction(
            "sandbox.read_after_ms",
            "it is below sandbox.delivered_after_ms: nothing is read before it arrives",
            f"write {sandbox.delivered_after_ms} or more, or lower delivered_after_ms",
        )


def _in_secrets(secrets: Secrets) -> Iterator[Contradiction]:
    if secrets.encryption_key and secrets.key_file:
        yield _given_twice("secrets.encryption_key", "secrets.key_file")


def _in_safety(policy: SafetyPolicy) -> Iterator[Contradiction]:
    unsafe = find_problem(policy)
    if unsafe is not None:
        key = f"safety.{unsafe.pointer.partition('[')[0]}"
        yield Contradiction(key, f"{unsafe.what}: {unsafe.why}", unsafe.fix)


def _given_twice(value_key: str, file_key: str) -> Contradiction:
    return Contradiction(file_key, f"{value_key} is set too, and only one of them could count", _ONE_OF_TWO)
