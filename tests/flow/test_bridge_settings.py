"""Settings of bridges: what is refused and how, what is kept, and what is shown."""

from __future__ import annotations

import pytest

from hub.flow.bridge_settings import MASK, merged, read_settings, shown
from hub.model.errors import InvalidRequest
from tests.support.scripted_kind import SCRIPTED, ScriptedSettings

GOOD = {"url": "https://phone.example", "password": "hunter2"}


@pytest.mark.parametrize(
    ("given", "code", "param", "words"),
    [
        ({"password": "x"}, "missing_required_parameter", "settings.url", "needs the setting 'url'"),
        ({"url": None, "password": "x"}, "missing_required_parameter", "settings.url", "needs"),
        ({**GOOD, "pasword": "x"}, "invalid_parameter_value", "settings.pasword", "Did you mean 'password'?"),
        ({**GOOD, "zzz": "x"}, "invalid_parameter_value", "settings.zzz", "There are: url, password"),
        ({**GOOD, "poll_seconds": "5"}, "invalid_parameter_value", "settings.poll_seconds", "Expected `int`"),
        ({**GOOD, "numbers": [1]}, "invalid_parameter_value", "settings.numbers[0]", "Expected `str`"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    given: dict[str, object], code: str, param: str, words: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_settings(SCRIPTED, given)

    assert (caught.value.code, caught.value.param) == (code, param)
    assert words in caught.value.message
    assert "hunter2" not in caught.value.message


def test_what_fits_becomes_the_struct() -> None:
    read = read_settings(SCRIPTED, {**GOOD, "numbers": ["+1"]})

    assert read == ScriptedSettings(url="https://phone.example", password="hunter2", numbers=("+1",))


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ({"url": "https://b.example"}, {**GOOD, "url": "https://b.example"}),
        ({"password": MASK}, GOOD),
        ({"password": "new"}, {**GOOD, "password": "new"}),
        ({"poll_seconds": 9}, {**GOOD, "poll_seconds": 9}),
        ({"poll_seconds": None}, GOOD),
        ({}, GOOD),
    ],
)
def test_changes_change_what_they_name(changes: dict[str, object], after: dict[str, object]) -> None:
    assert merged(SCRIPTED, GOOD, changes) == after


def test_a_needed_setting_cannot_be_taken_away() -> None:
    with pytest.raises(InvalidRequest, match="needs the setting"):
        merged(SCRIPTED, GOOD, {"password": None})


@pytest.mark.parametrize("value", ["/dev/phone", "/dev/other", None], ids=["default", "allowed", "none"])
def test_what_names_something_of_the_machine_is_its_default_or_allowed(value: str | None) -> None:
    given = {**GOOD, "device": value} if value else GOOD

    assert merged(SCRIPTED, given, {"device": value}, machine_values={"/dev/other"}) == given


@pytest.mark.parametrize("value", ["/etc/passwd", "/dev/phone/..", "/dev/phone ", ["/dev/phone"], 7])
def test_anything_else_is_the_choice_of_the_machines_owner(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"bridge\.machine_values in hub\.yaml") as caught:
        merged(SCRIPTED, GOOD, {"device": value}, machine_values={"/dev/other"})

    assert caught.value.param == "settings.device"


def test_in_a_file_of_its_own_the_owner_chooses_anything() -> None:
    read = read_settings(SCRIPTED, {**GOOD, "device": "/dev/mine"}, machine_values=None)

    assert read.device == "/dev/mine"


def test_secrets_are_not_shown() -> None:
    assert shown(SCRIPTED, GOOD) == {"url": "https://phone.example", "password": MASK}
    assert shown(None, GOOD) == {"url": MASK, "password": MASK}
