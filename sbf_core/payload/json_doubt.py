"""What the engine may have read otherwise than it is written: told by the texts that it gives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sbf_core.duck.identifiers import literal
from sbf_core.payload.json_records import is_required
from sbf_core.payload.model import Slot

#: How the engine writes a double. A text such as ``1.10`` cannot have been one.
_PRINTED_DOUBLE = r"-?[0-9]+\.([0-9]*[1-9]|0)|-?[0-9](\.[0-9]+)?e[-+][0-9]+"
_NOT_FINITE = "('nan', '-nan', 'inf', '-inf', 'infinity', '-infinity')"
_MARKER = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,2})?")
_MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP_NS")
#: Where the value of a slot is from: the row, the name or index of a row, or what is above the rows.
OF_ROW, KEY, ABOVE = "row", "key", "above"


def doubt(slots: Sequence[Slot], origins: Sequence[str], table: str) -> str:
    """Whether the engine may have read a row otherwise than it is written: a condition; empty where it cannot have.

    It looks at texts only: digits with a point or an exponent, which may be a double written anew; ``0``, which may be
    ``-0``; nested values; ``NaN``; and rows without any value, which may be ``null``. Numbers in DECIMAL columns need
    no look: ``json_look`` has seen that a double holds them.

    Args:
        slots: the wanted fields.
        origins: for each where its value is from.
        table: what they are columns of.
    """
    tests: list[str] = []
    of_row: list[str] = []
    for slot, origin in zip(slots, origins, strict=True):
        x = f"{table}.{slot.name}"
        if origin == KEY:
            continue
        if origin == OF_ROW:
            of_row.append(f"{x} IS NULL")
        elif is_required(slot.column):
            tests.append(f"{x} IS NULL")
        test = _of_slot(x, slot)
        if test:
            tests.append(test)
    if of_row:
        tests.append(f"({' AND '.join(of_row)})")
    return " OR ".join(tests)


def _of_slot(x: str, slot: Slot) -> str:
    column = slot.column
    fraction = f"(contains({x}, '.') OR contains({x}, 'e'))"
    zero = f"{x} = '0'"  # which may be -0, another text and no marker "0"
    given = [marker.strip() for marker in column.missing]
    is_marker = "0" in given
    if column.type == "BIGINT":
        return f"({fraction} OR {zero})" if is_marker else fraction
    printed = f"({x} < ':' AND {fraction} AND regexp_full_match({x}, {literal(_PRINTED_DOUBLE)}))"
    if column.type in _MOMENTS:  # no number is a day as ISO 8601 writes it, however it is spelled
        tests = [*([printed] if column.epoch or column.date_format else []), *([zero] if is_marker else [])]
        return f"({' OR '.join(tests)})" if tests else ""
    if column.type == "BOOLEAN":
        return f"({zero})"
    if column.type == "VARCHAR":
        nested = f"({x} >= '[' AND {x} < '\\') OR ({x} >= '{{' AND {x} < '|')"
        return f"({zero} OR {printed} OR {nested} OR (strlen({x}) <= 9 AND lower({x}) IN {_NOT_FINITE}))"
    # -99.990 is not the text -99.99, so it would be no marker
    markers = [repr(float(marker)) for marker in given if _MARKER.fullmatch(marker)]
    return f"try_cast({x} AS DOUBLE) IN ({', '.join(markers)})" if markers else ""
