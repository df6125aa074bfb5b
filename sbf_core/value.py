"""What the values of sbf have in common: how they print."""

from __future__ import annotations

import attrs


class Value:
    """A class of attrs that prints as its fields, as attrs would have it print.

    attrs writes and compiles a ``__repr__`` for each class, in each process anew: of a hundred classes that is 15 ms,
    more than a run with nothing due spends on planning. It writes none for a class that has one.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _as_fields  # type: ignore[assignment]


def _as_fields(self: attrs.AttrsInstance) -> str:
    shown = (
        f"{field.name}={(repr if field.repr is True else field.repr)(getattr(self, field.name, attrs.NOTHING))}"
        for field in attrs.fields(type(self))
        if field.repr is not False
    )
    return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"
