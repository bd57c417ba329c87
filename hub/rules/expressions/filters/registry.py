"""All filters, and what people write who know those of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.rules.expressions.filters import lists, mappings, numbers, spellings, text, times
from hub.rules.expressions.offered import Filter

#: Alphabetical.
FILTERS: Final[Mapping[str, Filter]] = dict(
    sorted(
        {
            **lists.FILTERS,
            **mappings.FILTERS,
            **numbers.FILTERS,
            **spellings.FILTERS,
            **text.FILTERS,
            **times.FILTERS,
        }.items()
    )
)

#: Filters of Jinja2 and others that are not offered, and what to write.
INSTEAD: Final[Mapping[str, str]] = {
    "abs": "Write x if x >= 0 else -x",
    "attr": "Write value.name, or get(value, 'a.b') if it may be missing",
    "batch": "Use a foreach step",
    "capitalize": "Write title, or text.capitalize()",
    "center": "Write the blanks into the template",
    "count": "Write length",
    "d": "Write default",
    "date_format": "Write date('%Y-%m-%d')",
    "downcase": "Write lower",
    "e": "Write escape_html",
    "escape": "Write escape_html, escape_slack or escape_markdown",
    "format": "Put values together with ~, or write them into the template",
    "from_json": "Write json",
    "groupby": "Use where for each group",
    "hmac": "A route has no secrets: webhook.send signs by itself",
    "indent": "Write the blanks into the template",
    "items": "Name the fields that you want",
    "list": "Write split for a text; a list is one already",
    "lowercase": "Write lower",
    "map": "Write map_attr('name')",
    "md5": "Write hash('md5')",
    "pprint": "Write tojson",
    "reject": "Write where('field', value)",
    "rejectattr": "Write where('field', value)",
    "reverse": "Write sort(reverse=true) to put it in order, or value[-1] for the last",
    "safe": "Nothing is escaped unless a filter does it: leave it out",
    "select": "Write where('field', value)",
    "selectattr": "Write where('field', value)",
    "sha256": "Write hash('sha256')",
    "size": "Write length",
    "slice": "Write value[:3]",
    "strftime": "Write date('%Y-%m-%d')",
    "strip": "Write trim",
    "striptags": "Write regex_find for what you want of it",
    "timestamp_custom": "Write date('%Y-%m-%d')",
    "to_json": "Write tojson",
    "upcase": "Write upper",
    "uppercase": "Write upper",
    "wordcount": "Write split | length",
}
