"""A text of a declared ``date_format`` as ISO 8601, in SQL, where the engine's ``try_strptime`` is not exact.

Those are the formats with an offset, a fraction, the day of the year or of the week. See
``sbf_core.dataset.date_formats`` for what a format may be.
"""

from __future__ import annotations

from sbf_core.dataset.date_formats import MONTHS, DateFormat
from sbf_core.duck.identifiers import literal
from sbf_core.silver.cast_steps import full_match


def parts_of(form: DateFormat, text: str) -> str:
    """SQL: the parts of a text with ``|`` between, NULL where it does not match."""
    between = "|".join(f"\\{place + 1}" for place in range(len(form.codes)))
    return (
        f"CASE WHEN {full_match(text, form.pattern)} "
        f"THEN regexp_replace({text}, {literal('^' + form.pattern + '$')}, {literal(between)}) END"
    )


def iso_of(form: DateFormat, parts: str, *, with_fraction: bool = True) -> str:
    """SQL: ISO 8601 of what ``parts_of`` gave; what is no day or hour stays so, and is found when it is read."""
    part = {code: f"split_part({parts}, '|', {place + 1})" for place, code in enumerate(form.codes)}
    day = _day_of(part)
    fraction = next((part[code] for code in "fgn" if code in part), None) if with_fraction else None
    offset = f", {part['z']}" if "z" in part else ""
    made = (
        f"concat({day}, 'T', {_hour_of(part)}, ':', {_two(part, 'M')}, ':', {_two(part, 'S')}"
        + (f", '.', {fraction}" if fraction else "")
        + f"{offset})"
    )
    weekday = part.get("a") or part.get("A")
    if weekday is None:
        return made
    return f"CASE WHEN lower(left(dayname(try_cast({day} AS DATE)), 3)) = lower(left({weekday}, 3)) THEN {made} END"


def _two(part: dict[str, str], code: str) -> str:
    return f"lpad({part[code]}, 2, '0')" if code in part else "'00'"


def _year_of(part: dict[str, str]) -> str:
    """Two digits by the rule of POSIX: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068."""
    return part["Y"] if "Y" in part else f"concat(CASE WHEN {part['y']} >= '69' THEN '19' ELSE '20' END, {part['y']})"


def _day_of(part: dict[str, str]) -> str:
    year = _year_of(part)
    if "j" in part:
        day = f"CAST(try_cast(concat({year}, '-01-01') AS DATE) + try_cast({part['j']} AS INTEGER) - 1 AS VARCHAR)"
        return f"CASE WHEN left({day}, 4) = {year} THEN {day} END"
    name = part.get("b") or part.get("B")
    if name:
        names = "".join(month[:3] for month in MONTHS)
        month = f"lpad(CAST((strpos('{names}', lower(left({name}, 3))) + 2) // 3 AS VARCHAR), 2, '0')"
    else:
        month = _two(part, "m") if "m" in part else "'01'"
    return f"concat({year}, '-', {month}, '-', {_two(part, 'd') if 'd' in part else chr(39) + '01' + chr(39)})"


def _hour_of(part: dict[str, str]) -> str:
    if "I" not in part:
        return _two(part, "H")
    hours = f"try_cast({part['I']} AS INTEGER) % 12 + CASE WHEN lower({part['p']}) = 'pm' THEN 12 ELSE 0 END"
    return f"lpad(CAST({hours} AS VARCHAR), 2, '0')"
