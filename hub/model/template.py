"""A template: a message whose words its network has approved beforehand, with blanks that a send fills in.

Networks with a window (WhatsApp: 24 hours after the contact's last message) let nothing else through outside of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

#: A blank's value.
Value = Annotated[str, Meta(min_length=1, max_length=1024)]
#: Of blanks in their order, or by their names.
Values = Annotated[tuple[Value, ...], Meta(max_length=32)] | Annotated[dict[str, Value], Meta(max_length=32)]


class TemplateButton(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is filled in at one button."""

    #: Which button, from 0.
    index: Annotated[int, Meta(ge=0, le=9)]
    #: The end of its address, what a reply gives back to you, or a code to copy.
    type: Literal["url", "quick_reply", "copy_code"]
    value: Annotated[str, Meta(min_length=1, max_length=256)]


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which template, and what is filled in."""

    #: As the network knows it.
    name: Annotated[str, Meta(min_length=1, max_length=512)]
    #: As the network writes it: `en_US`, `de`.
    language: Annotated[str, Meta(min_length=2, max_length=16, pattern="^[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8})*$")]
    #: For the words: a list for blanks that have numbers, an object for blanks that have names.
    values: Values = ()
    #: For the words of the header.
    header_values: Values = ()
    #: The header's picture, video or document: `file_…`.
    header_file_id: Annotated[str, Meta(max_length=128)] | None = None
    buttons: Annotated[tuple[TemplateButton, ...], Meta(max_length=10)] = ()


def template_words(template: Template) -> str:
    """Say for people what is sent; the words themselves only the network knows."""
    filled = [*_texts(template.header_values), *_texts(template.values)]
    return f"{template.name} ({template.language}){': ' if filled else ''}{', '.join(filled)}"


def _texts(values: Values) -> list[str]:
    if isinstance(values, dict):
        return [f"{name}={value}" for name, value in values.items()]
    return list(values)
