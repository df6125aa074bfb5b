"""What the classes of sbf have in common: how they print, and how values compare."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import attrs


def _as_fields(self: attrs.AttrsInstance) -> str:
    shown = (
        f"{field.name}={(repr if field.repr is True else field.repr)(getattr(self, field.name, attrs.NOTHING))}"
        for field in attrs.fields(type(self))
        if field.repr is not False
    )
    return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"


def _is_equal(self: attrs.AttrsInstance, other: object) -> bool:
    if other.__class__ is not self.__class__:
        return NotImplemented  # type: ignore[no-any-return]
    fields = _compared(self.__class__)
    return bool(fields(self) == fields(other))


def _hash_of_fields(self: attrs.AttrsInstance) -> int:
    return hash((self.__class__, _compared(self.__class__)(self)))


@functools.cache
def _compared(cls: type[attrs.AttrsInstance]) -> Callable[[object], Any]:
    names = [field.name for field in attrs.fields(cls) if field.eq]
    return operator.attrgetter(*names) if names else _nothing


def _nothing(_: object) -> tuple[()]:
    return ()


class Entity:
    """A class of attrs that prints as its fields, as attrs would have it print: one that changes, or is only itself.

    attrs writes and compiles a ``__repr__`` for each class, in each process anew: of a hundred classes that is 15 ms,
    more than a run with nothing due spends on planning. It writes none for a class that has one.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _as_fields  # type: ignore[assignment]


class Value(Entity):
    """A frozen class of attrs that is what its fields are: two with equal fields are equal, and one key of a dict.

    What attrs would write for it does the same, and takes 8 ms for a hundred classes.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__eq__" not in cls.__dict__:
            cls.__eq__ = _is_equal  # type: ignore[assignment]
            cls.__hash__ = _hash_of_fields  # type: ignore[assignment]
