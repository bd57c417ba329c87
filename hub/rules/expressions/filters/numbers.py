"""Filters that give numbers, or true and false, and money."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.filters.currencies import CURRENCIES, SYMBOLS, decimals_of
from hub.rules.expressions.filters.text import whole_number
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import LONGEST_NUMBER
from hub.rules.expressions.offered import (
    ANY,
    LIST,
    MAP,
    NULL,
    NUMBER,
    TEXT,
    Example,
    Filter,
    Parameter,
    table,
)
from hub.rules.expressions.operators import check_number
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import described, legible

_WHOLE: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_MOST_DIGITS: Final = 12


def to_int(frame: Frame, value: object, default: object) -> object:
    if isinstance(value, (int, float)):
        return check_number(int(check_number(value)))
    text = value.strip() if isinstance(value, str) and len(value) <= LONGEST_NUMBER * 2 else ""
    if _WHOLE.fullmatch(text):
        return check_number(int(text))
    return _instead(
        value, default, "int", "a whole number such as 12", "Write … | float | int to cut decimals off"
    )


def to_float(frame: Frame, value: object, default: object) -> object:
    if isinstance(value, (int, float)):
        return check_number(float(check_number(value)))
    text = value.strip() if isinstance(value, str) and len(value) <= LONGEST_NUMBER * 2 else ""
    if _NUMBER.fullmatch(text):
        return check_number(float(text))
    return _instead(value, default, "float", "a number such as 12.5", "Bring it into that form with replace")


def to_bool(frame: Frame, value: object, default: object) -> object:
    if isinstance(value, bool):
        return value
    spelled = str(value).strip().lower() if isinstance(value, str) or value in (0, 1) else ""
    if spelled in _BOOLEANS:
        return _BOOLEANS[spelled]
    return _instead(
        value, default, "bool", "true, yes, on, 1, false, no, off or 0", "Compare it with == instead"
    )


def _instead(value: object, default: object, name: str, form: str, fix: str) -> object:
    if default is not MISSING:
        return default
    raise Refused(
        what=f"{name} is given {described(value)}",
        why=f"it takes {form}",
        fix=f"{fix}, or say what to take instead: {name}(none)",
    )


def rounded(frame: Frame, value: float, digits: int) -> int | float:
    check_number(value)
    places = whole_number(digits, "digits", 0)
    if isinstance(value, int) or places > _MOST_DIGITS:
        return value
    exact = (
        Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        if abs(value) < 1e15
        else value
    )
    return float(exact) if places else int(exact)


def money(frame: Frame, value: float, currency: str) -> str:
    code = known_currency(currency)
    check_number(value)
    if abs(value) >= 1e15:
        raise Refused(
            what="this amount is too large", why="money ends at 10^15", fix="Check what it is made of"
        )
    decimals = decimals_of(code)
    amount = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    sign = "-" if amount < 0 else ""
    digits = f"{abs(amount):,.{decimals}f}"
    symbol = SYMBOLS.get(code)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {code}"


def known_currency(currency: str) -> str:
    """Give the code of a currency in capitals, or refuse it."""
    code = currency.upper()
    if code in CURRENCIES:
        return code
    raise Refused(
        what=f"'{legible(currency)}' is no currency",
        why="currencies are three letters of ISO 4217",
        fix="Write for instance USD",
    )


_DEFAULT = (Parameter(name="default", takes=ANY, default=MISSING),)

FILTERS = table(
    Filter(
        name="bool",
        summary="Makes true or false of the words true, yes, on, 1, false, no, off, 0, large or small, and of the "
        "numbers 1 and 0. "
        "Anything else is an error, or the default if one is given.",
        takes=ANY - LIST - MAP,
        gives=ANY,
        apply=to_bool,
        parameters=_DEFAULT,
        examples=(
            Example(expression="'Yes' | bool", gives=True),
            Example(expression="'maybe' | bool(false)", gives=False),
        ),
    ),
    Filter(
        name="float",
        summary="Makes a number of text such as `12.5` or `1e3`; the decimal sign is a point. Anything else is an "
        "error, or the default "
        "if one is given.",
        takes=TEXT | NUMBER | NULL,
        gives=ANY,
        apply=to_float,
        parameters=_DEFAULT,
        examples=(
            Example(expression="'12.50' | float", gives=12.5),
            Example(expression="'12,50' | replace(',', '.') | float", gives=12.5),
        ),
    ),
    Filter(
        name="int",
        summary="Makes a whole number of text such as `12`; cuts the decimals off a number. Anything else is an "
        "error, or the default if "
        "one is given.",
        takes=TEXT | NUMBER | NULL,
        gives=ANY,
        apply=to_int,
        parameters=_DEFAULT,
        examples=(
            Example(expression="' 012 ' | int", gives=12),
            Example(expression="-2.7 | int", gives=-2),
            Example(expression="'n/a' | int(0)", gives=0),
        ),
    ),
    Filter(
        name="money",
        summary="Writes an amount, in whole units of a currency (ISO 4217, large or small), rounded half up to its "
        "decimals, with `,` between "
        "thousands. Dollars, euros, pounds, yen and rupees have their sign, the others their code. "
        "Stripe and others tell amounts in cents: divide by 100 first.",
        takes=NUMBER,
        gives=TEXT,
        apply=money,
        parameters=(Parameter(name="currency", takes=TEXT, check=known_currency),),
        examples=(
            Example(expression="(123456 / 100) | money('usd')", gives="$1,234.56"),
            Example(expression="-5 | money('EUR')", gives="-€5.00"),
            Example(expression="1234.5 | money('JPY')", gives="¥1,235"),
            Example(expression="12.3456 | money('KWD')", gives="12.346 KWD"),
        ),
    ),
    Filter(
        name="round",
        summary="Rounds half away from zero, to so many decimals; to a whole number without. More than 12 decimals "
        "are left as they are.",
        takes=NUMBER,
        gives=NUMBER,
        apply=rounded,
        parameters=(Parameter(name="digits", takes=NUMBER, default=0),),
        examples=(
            Example(expression="2.5 | round", gives=3),
            Example(expression="-2.5 | round", gives=-3),
            Example(expression="1.005 | round(2)", gives=1.01),
        ),
    ),
)
