"""How much an expression may be, hold and do. All of them are counted, none is a time."""

from __future__ import annotations

from typing import Final

#: Compiled texts of each form that are kept for the next who writes the same.
MOST_KEPT: Final = 1_024
#: Characters of one expression or template.
LONGEST_SOURCE: Final = 8_000
#: Brackets within brackets; operators before an operand (`not not x`); `a if b else c if d else …`.
MOST_BRACKETS: Final = 24
MOST_PREFIXES: Final = 4
MOST_CHOICES: Final = 24
#: Parts of an expression, and how deep they are nested.
MOST_NODES: Final = 600
DEEPEST_TREE: Final = 64
#: Digits of a number as written.
LONGEST_NUMBER: Final = 30

#: Bits of a whole number that arithmetic may give, and of one that is written as text.
MOST_BITS: Final = 256
MOST_BITS_AS_TEXT: Final = 8_192
#: Characters of a text that an expression makes, or a template writes.
LONGEST_TEXT: Final = 64_000
#: Items of a list that an expression makes.
MOST_ITEMS: Final = 10_000
#: Turns of a `{% for %}`.
MOST_TURNS: Final = 1_000
#: Keys and items in keys and items of a value that an expression compares, writes or gives.
DEEPEST_VALUE: Final = 64
#: Values within a value that an expression gives.
MOST_VALUES: Final = 100_000

#: Units of work of one evaluation. A unit is about a tenth of a microsecond.
MOST_WORK: Final = 500_000
#: Units: for one value that is visited, for looking at a phone number, for the turn of a loop.
VISIT: Final = 4
PHONE_LOOKUP: Final = 2_000
#: Characters that one unit deals with.
CHARACTERS_A_UNIT: Final = 8

#: Characters of a path that a filter follows in each item, and of those that are taken from the ends of a text.
LONGEST_PATH: Final = 200
MOST_TRIMMED: Final = 100

#: Characters of a regular expression, and bytes that it may take when compiled.
LONGEST_PATTERN: Final = 200
MOST_PATTERN_BYTES: Final = 1 << 20
