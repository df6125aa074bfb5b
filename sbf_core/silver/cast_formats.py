"""``date_format``: which directives of ``strptime`` there are, the pattern that a text must match, and how it becomes ISO 8601.

The engine's ``try_strptime`` takes more than a format says: ``31.12.24`` as the year 24 for ``%Y``, the wrong day of the week, ``EST`` as an offset, day
366 of a year that has 365 (1.5.5), and it cuts or refuses fractions. So it only gets texts that match a pattern made here, of formats that it reads
exactly; for all others the parts of the text are put together as ISO 8601, and read as such.

Format codes: Python's ``strptime`` and DuckDB's, https://duckdb.org/docs/stable/sql/functions/dateformat, as far as they are unambiguous.
"""

from __future__ import annotations

import re

import attrs

from sbf_core.duck.identifiers import literal
from sbf_core.silver.cast_steps import full_match

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OFFSET = "Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
_TWO = "mdHMS"
_PATTERNS = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "b": f"(?i:{'|'.join(name[:3] for name in _MONTHS)})",
    "B": f"(?i:{'|'.join(_MONTHS)})",
    "a": f"(?i:{'|'.join(name[:3] for name in _DAYS)})",
    "A": f"(?i:{'|'.join(_DAYS)})",
    "p": "(?i:am|pm)",
    "f": "[0-9]+",
    "g": "[0-9]{1,3}",
    "n": "[0-9]{1,9}",
    "z": _OFFSET,
}
_DIGITS = frozenset("YymdHIMSjfgn")
_MAY_BE_ONE_DIGIT = frozenset("mdHIMSj")
_SIMPLE = frozenset("YymdbBHIMSp")
_REFUSED = {
    "Z": "names of zones such as EST or IST stand for several; declare zone= and leave the name out of the text, or ask for an offset, %z",
    "U": "weeks are counted in several ways", "W": "weeks are counted in several ways", "V": "weeks are counted in several ways",
    "G": "weeks are counted in several ways", "u": "a day of the week alone is no date", "w": "a day of the week alone is no date",
    "c": "it depends on the locale", "x": "it depends on the locale", "X": "it depends on the locale",
}  # fmt: skip
#: Directives of one kind: of each kind a format has one at most.
_KINDS = (("Yy", "years"), ("mbB", "months"), ("HI", "hours"), ("fgn", "fractions of a second"), ("aA", "days of the week"))
_GROUPS_MAX = 9  # RE2 knows \1 to \9


@attrs.frozen(kw_only=True)
class DateFormat:
    """A ``date_format``, taken apart.

    Attributes:
        text: as declared.
        codes: its directives in order, without ``%``.
        pattern: what a text must match (RE2), one group a directive.
    """

    text: str
    codes: tuple[str, ...]
    pattern: str

    @property
    def has_offset(self) -> bool:
        """Whether the text says how far it is from UTC."""
        return "z" in self.codes

    @property
    def is_simple(self) -> bool:
        """Whether the engine reads it exactly, once a text matches the pattern."""
        return _SIMPLE.issuperset(self.codes)


def parse_date_format(date_format: str) -> DateFormat:
    """Take a format apart.

    Raises:
        ValueError: it has a directive that is unknown, ambiguous or depends on the locale, or says too little or the same twice. The text says which.
    """
    parts = re.findall(r"%-?.|[^%]+|%", date_format, flags=re.DOTALL)
    codes: list[str] = []
    pattern = ""
    for place, part in enumerate(parts):
        if not part.startswith("%") or part == "%%":
            pattern += re.escape(part[1:] if part == "%%" else part)
            continue
        code = part[-1]
        if code in _REFUSED:
            raise ValueError(f"%{code} cannot be read exactly: {_REFUSED[code]}")
        if code not in _PATTERNS and code not in _MAY_BE_ONE_DIGIT:
            raise ValueError(f"{part!r} is no directive that is known here")
        fixed = _touches_digits(parts, place)
        if fixed and part[1] == "-":
            raise ValueError(f"{part} stands beside other digits, so nothing says where it ends; write %{code}")
        pattern += f"({_pattern_of(code, fixed=fixed)})"
        codes.append(code)
    _check(codes)
    return DateFormat(text=date_format, codes=tuple(codes), pattern=pattern)


def _touches_digits(parts: list[str], place: int) -> bool:
    before, after = parts[place - 1] if place else "", parts[place + 1] if place + 1 < len(parts) else ""
    return _is_digits(before, -1) or _is_digits(after, 0)


def _is_digits(part: str, end: int) -> bool:
    if part.startswith("%"):
        return part != "%%" and part[-1] in _DIGITS
    return part[end:][:1].isdigit()


def _pattern_of(code: str, *, fixed: bool) -> str:
    if code == "I":
        return "0[1-9]|1[0-2]" if fixed else "0?[1-9]|1[0-2]"
    if code == "j":
        return "[0-9]{3}" if fixed else "[0-9]{1,3}"
    if code in _TWO:
        return "[0-9]{2}" if fixed else "[0-9]{1,2}"
    return _PATTERNS[code]


def _check(codes: list[str]) -> None:
    found = set(codes)
    for code in found:
        if codes.count(code) > 1:
            raise ValueError(f"%{code} stands there twice")
    for kind, name in _KINDS:
        if len(found & set(kind)) > 1:
            raise ValueError(f"it has two {name}")
    if not found & set("Yy"):
        raise ValueError("it has no year: %Y, or %y for two digits (69 to 99 are 1969 to 1999)")
    if "j" in found and found & set("mbBd"):
        raise ValueError("%j is the day of the year, and goes without month and day")
    if ("I" in found) != ("p" in found):
        raise ValueError("%I and %p belong together: hours of twelve with AM or PM")
    for code, needed, name in (("d", "mbB", "a month"), ("M", "HI", "an hour"), ("S", "M", "minutes"), ("f", "S", "seconds"), ("g", "S", "seconds"), ("n", "S", "seconds")):
        if code in found and not found & set(needed):
            raise ValueError(f"%{code} needs {name}")
    if found & set("aA") and not found & set("dj"):
        raise ValueError("a day of the week goes with a whole date")
    if len(codes) > _GROUPS_MAX:
        raise ValueError(f"it has more than {_GROUPS_MAX} directives")


def parts_of(form: DateFormat, text: str) -> str:
    """SQL: the parts of a text with ``|`` between, NULL where it does not match."""
    between = "|".join(f"\\{place + 1}" for place in range(len(form.codes)))
    return f"CASE WHEN {full_match(text, form.pattern)} THEN regexp_replace({text}, {literal('^' + form.pattern + '$')}, {literal(between)}) END"


def iso_of(form: DateFormat, parts: str, *, with_fraction: bool = True) -> str:
    """SQL: ISO 8601 of what ``parts_of`` gave; what is no day or hour stays so, and is found when it is read."""
    part = {code: f"split_part({parts}, '|', {place + 1})" for place, code in enumerate(form.codes)}
    day = _day_of(part)
    fraction = next((part[code] for code in "fgn" if code in part), None) if with_fraction else None
    offset = f", {part['z']}" if "z" in part else ""
    made = f"concat({day}, 'T', {_hour_of(part)}, ':', {_two(part, 'M')}, ':', {_two(part, 'S')}" + (f", '.', {fraction}" if fraction else "") + f"{offset})"
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
        names = "".join(month[:3] for month in _MONTHS)
        month = f"lpad(CAST((strpos('{names}', lower(left({name}, 3))) + 2) // 3 AS VARCHAR), 2, '0')"
    else:
        month = _two(part, "m") if "m" in part else "'01'"
    return f"concat({year}, '-', {month}, '-', {_two(part, 'd') if 'd' in part else chr(39) + '01' + chr(39)})"


def _hour_of(part: dict[str, str]) -> str:
    if "I" not in part:
        return _two(part, "H")
    hours = f"try_cast({part['I']} AS INTEGER) % 12 + CASE WHEN lower({part['p']}) = 'pm' THEN 12 ELSE 0 END"
    return f"lpad(CAST({hours} AS VARCHAR), 2, '0')"
