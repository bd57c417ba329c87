"""Automations as the vendor writes them, and the routes that they are here (contracts: coop §6)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.dialects.coop.errors import invalid
from hub.dialects.coop.names import DIALECT_NAME

Trigger = Literal["message_received", "message_sent"]
Field = Literal["body", "from", "to"]
Operator = Literal["contains", "equals", "starts_with", "ends_with", "matches_regex", "is_in"]
Logic = Literal["and", "or"]
ActionType = Literal["send_reply", "create_contact", "call_webhook", "log_to_crm"]
Text = Annotated[str, Meta(min_length=1, max_length=500)]

#: Theirs → our event, and what it is called in what `call_webhook` posts.
_EVENTS: Final[Mapping[Trigger, str]] = {
    "message_received": "message.received",
    "message_sent": "message.sent",
}
_PATHS: Final[Mapping[Field, str]] = {"body": "text", "from": "from", "to": "to"}
_MATCHERS: Final[Mapping[Operator, str]] = {
    "contains": "contains",
    "ends_with": "ends_with",
    "equals": "any_of",
    "is_in": "any_of",
    "matches_regex": "matches",
    "starts_with": "starts_with",
}
#: What a text of theirs may have that would be read as a template here.
_BRACES: Final = ("{{", "{%", "{#")
_TWO_BRACES: Final = re.compile(r"(?<=\{)(?=\{)|(?<=\})(?=\})")
_ISO: Final = "date('%Y-%m-%dT%H:%M:%SZ', 'UTC')"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is asked."""

    field: Field
    operator: Operator
    #: A list for `is_in`.
    value: Text | Annotated[tuple[Text, ...], Meta(min_length=1, max_length=50)]


class ActionConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an action needs."""

    #: Of `send_reply`.
    body: Annotated[str, Meta(min_length=1, max_length=5000)] | None = None
    #: Of `call_webhook`.
    url: Annotated[str, Meta(min_length=1, max_length=2048)] | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What is done."""

    type: ActionType
    config: ActionConfig = ActionConfig()


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An automation, whole."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    trigger: Trigger
    conditions: Annotated[tuple[Condition, ...], Meta(max_length=20)] = ()
    logic: Logic = "and"
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=10)]
    enabled: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """The route that an automation is."""

    route: Mapping[str, Any]
    #: Where something stands in it → where it stands in the automation.
    places: Mapping[str, str]


def compiled(automation: Written) -> Compiled:
    """Make the route of an automation.

    What both can say is a `when`, of which the hub keeps an index; a second condition of a kind on the same field, and
    all of them where one is enough, are an `if`.

    Raises:
        InvalidRequest: A condition or an action lacks what it needs.
    """
    when: dict[str, Any] = {}
    rest: list[str] = []
    places = {"route.description": "name", "route.metadata": "conditions", "route.if": "conditions"}
    for index, condition in enumerate(automation.conditions):
        path, matcher, operand = (
            _PATHS[condition.field],
            _MATCHERS[condition.operator],
            _operand(condition, index),
        )
        if automation.logic == "or" or matcher in when.get(path, ()):
            rest.append(f"({expression(condition)})")
        else:
            when.setdefault(path, {})[matcher] = operand
            places[f"route.when.{path}.{matcher}"] = f"conditions[{index}].value"
    if automation.trigger == "message_sent":
        # What routes send does not start automations: one that replies would answer itself.
        when["metadata.hub_route"] = {"exists": False}
    steps = [_step(automation, each, index) for index, each in enumerate(automation.actions)]
    places |= {f"route.steps[{index}]": f"actions[{index}].config" for index in range(len(steps))}
    route: dict[str, Any] = {
        "description": automation.name,
        "enabled": automation.enabled,
        "metadata": {DIALECT_NAME: msgspec.to_builtins(automation)},
        "trigger": _EVENTS[automation.trigger],
        "steps": steps,
    }
    route |= {"when": when} if when else {}
    route |= {"if": f" {automation.logic} ".join(rest)} if rest else {}
    return Compiled(route=route, places=places)


def expression(condition: Condition) -> str:
    """Write a condition as an expression; a message without a text has an empty one."""
    asked = f"(event.{_PATHS[condition.field]} | default(''))"
    if condition.operator == "is_in":
        return f"{asked} in [{', '.join(_quoted(each) for each in _texts(condition))}]"
    wanted = _quoted(_texts(condition)[0])
    match condition.operator:
        case "contains":
            return f"{wanted} in {asked}"
        case "equals":
            return f"{asked} == {wanted}"
        case "starts_with":
            return f"{asked}.startswith({wanted})"
        case "ends_with":
            return f"{asked}.endswith({wanted})"
        case "matches_regex":
            return f"not (({asked} | regex_find({wanted})) is none)"


def _texts(condition: Condition) -> Sequence[str]:
    return (condition.value,) if isinstance(condition.value, str) else condition.value


def _operand(condition: Condition, index: int) -> Any:
    if condition.operator == "is_in":
        return list(_texts(condition))
    if not isinstance(condition.value, str):
        message = f"'{condition.operator}' takes one text; a list is for 'is_in'."
        raise invalid(f"conditions[{index}].value", message)
    return [condition.value] if condition.operator == "equals" else condition.value


def _step(automation: Written, action: Action, index: int) -> dict[str, Any]:
    config = action.config
    match action.type:
        case "send_reply":
            if config.body is None:
                raise invalid(f"actions[{index}].config.body", "'send_reply' needs the words to send.")
            return {"use": "message.reply", "with": {"text": _plain(config.body)}}
        case "create_contact":
            # A group is nobody; who writes in it is.
            condition = (
                {"if": "not event.conversation.is_group"} if automation.trigger == "message_sent" else {}
            )
            handle = "{{ event.contact.handle }}"
            return {
                **condition,
                "use": "contact.update",
                "with": {"contact": handle, "add_handles": [handle]},
            }
        case "call_webhook":
            if config.url is None or not config.url.startswith(("https://", "http://")):
                raise invalid(f"actions[{index}].config.url", "'call_webhook' needs an address: https://…")
            body = {"method": "POST", "url": _plain(config.url), "json": _told(automation.trigger)}
            return {"use": "http.request", "with": body}
        case "log_to_crm":
            fields = {"message": "{{ event.message_id }}", "conversation": "{{ event.conversation_id }}"}
            return {"use": "log", "with": {"message": _plain(automation.name), "fields": fields}}


def _told(trigger: Trigger) -> dict[str, Any]:
    """What is posted: the form of their webhooks."""
    data = {
        "id": "{{ event.message_id }}",
        "to": "{{ event.to }}",
        "from": "{{ event.from }}",
        "body": "{{ event.text | default('') }}",
        "conversationId": "{{ event.conversation_id | replace('cht_', 'conv_', 1) }}",
    }
    if trigger == "message_received":
        data |= {"id": "r{{ event.message_id }}", "receivedAt": f"{{{{ event.occurred_at | {_ISO} }}}}"}
    else:
        data["status"] = "sent"
    timestamp = f"{{{{ event.occurred_at | {_ISO} }}}}"
    return {"event": _EVENTS[trigger], "timestamp": timestamp, "data": data}


def _plain(text: str) -> str:
    """Write a text so that nothing in it is a template."""
    return f"{{{{ {_quoted(text)} }}}}" if any(each in text for each in _BRACES) else text


def _quoted(text: str) -> str:
    """Write a text as an expression has it, which does not take two braces in a row within quotes."""
    parts = ["'" + "".join(_sign(each) for each in part) + "'" for part in _TWO_BRACES.split(text)]
    return parts[0] if len(parts) == 1 else f"({' ~ '.join(parts)})"


def _sign(sign: str) -> str:
    is_plain = sign not in "'\\{}%#" and ord(sign) >= 32
    return sign if is_plain else f"\\x{ord(sign):02x}"
