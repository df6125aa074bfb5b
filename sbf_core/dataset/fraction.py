"""A number with a fraction that an answer holds, as it is written there."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


class Fraction(str):
    """How a number with a fraction or an exponent is written: addresses and forms take it so."""

    __slots__ = ()

    @property
    def number(self) -> float | None:
        """The number, for JSON; None where JSON would write another one."""
        number = float(self)
        try:
            return number if Decimal(repr(number)) == Decimal(self) else None
        except InvalidOperation:  # an exponent of more than 18 digits
            return None
