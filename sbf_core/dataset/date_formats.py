"""``date_format``: which directives of ``strptime`` there are, and the pattern that a text must match.

The engine's ``try_strptime`` takes more than a format says: ``31.12.24`` as the year 24 for ``%Y``, the wrong day of
the week, ``EST`` as an offset, day 366 of a year that has 365 (1.5.5). So a text has to match a pattern that is made
here, and what no pattern can make exact is refused when it is declared.

Codes: those of Python's ``strptime`` and of DuckDB, https://duckdb.org/docs/stable/sql/functions/dateformat, as far as
they are unambiguous.
"""

from __future__ import annotations

import re

import attrs

from sbf_core.value import Value

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OFFSET = "Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
_TWO = "mdHMS"
_PATTERNS = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "b": f"(?i:{'|'.join(name[:3] for name in MONTHS)})",
    "B": f"(?i:{'|'.join(MONTHS)})",
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
    "Z": "names of zones such as EST or IST stand for several; declare zone=, or ask for an offset, %z",
    **dict.fromkeys("UWVG", "weeks are counted in several ways"),
    **dict.fromkeys("uw", "a day of the week alone is no date"),
    **dict.fromkeys("cxX", "it depends on the locale"),
}
#: Directives of one kind: of each kind a format has one at most.
_KINDS = (
    ("Yy", "years"),
    ("mbB", "months"),
    ("HI", "hours"),
    ("fgn", "fractions of a second"),
    ("aA", "days of the week"),
)
_GROUPS_MAX = 9  # RE2 knows \1 to \9


@attrs.frozen(kw_only=True)
class DateFormat(Value):
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
        ValueError: it has a directive that is unknown, ambiguous or depends on the locale, or says too little or the
            same twice. The text says which.
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
    present = set(codes)
    for code in present:
        if codes.count(code) > 1:
            raise ValueError(f"%{code} stands there twice")
    for kind, name in _KINDS:
        if len(present & set(kind)) > 1:
            raise ValueError(f"it has two {name}")
    if not present & set("Yy"):
        raise ValueError("it has no year: %Y, or %y for two digits (69 to 99 are 1969 to 1999)")
    if "j" in present and present & set("mbBd"):
        raise ValueError("%j is the day of the year, and goes without month and day")
    if ("I" in present) != ("p" in present):
        raise ValueError("%I and %p belong together: hours of twelve with AM or PM")
    for code, needed, name in (
        ("d", "mbB", "a month"),
        ("M", "HI", "an hour"),
        ("S", "M", "minutes"),
        ("f", "S", "seconds"),
        ("g", "S", "seconds"),
        ("n", "S", "seconds"),
    ):
        if code in present and not present & set(needed):
            raise ValueError(f"%{code} needs {name}")
    if present & set("aA") and not present & set("dj"):
        raise ValueError("a day of the week goes with a whole date")
    if len(codes) > _GROUPS_MAX:
        raise ValueError(f"it has more than {_GROUPS_MAX} directives")
