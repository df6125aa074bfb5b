"""Values print and compare as attrs has them print and compare."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import attrs
import pytest

import sbf_core
from sbf_core.value import Entity, Value


@attrs.frozen(repr=True)
class Plain:
    name: str
    payload: bytes = attrs.field(repr=lambda value: f"<{len(value)} bytes>")
    hidden: str = attrs.field(repr=False)
    inner: object = None


@attrs.frozen
class Ours(Value):
    name: str
    payload: bytes = attrs.field(repr=lambda value: f"<{len(value)} bytes>")
    hidden: str = attrs.field(repr=False)
    inner: object = None


@attrs.frozen
class Below(Ours):
    more: int = 1


@attrs.frozen
class Told(Value):
    name: str

    def __repr__(self) -> str:
        return "told"


def test_a_value_prints_as_attrs_has_it_print() -> None:
    given = ("a'b", b"xyz", "secret", {"k": [1]})
    assert repr(Ours(*given)) == repr(Plain(*given)).replace("Plain", "Ours")
    assert repr(Ours("a", b"", "", Ours("b", b"", ""))).count("Ours(name=") == 2
    assert repr(Below("a", b"", "x", more=2)) == "Below(name='a', payload=<0 bytes>, inner=None, more=2)"
    assert repr(Told("a")) == "told"


@attrs.frozen
class Priced(Value):
    name: str
    price: float = 0.0
    note: str = attrs.field(default="", eq=False)


@attrs.frozen
class Alike(Value):
    name: str
    price: float = 0.0


@attrs.frozen
class Single(Value):
    name: str


@attrs.frozen
class Fieldless(Value):
    pass


@attrs.define
class Changing(Entity):
    name: str


@attrs.define(eq=False)
class Itself(Entity):
    name: str


def test_values_with_equal_fields_are_equal_and_one_key() -> None:
    assert Priced("a", 1.0) == Priced("a", 1.0)
    assert hash(Priced("a", 1.0)) == hash(Priced("a", 1.0))
    assert Priced("a", 1.0) != Priced("a", 2.0)
    assert Priced("a", 1.0) != Priced("b", 1.0)
    assert len({Priced("a", 1.0, "x"), Priced("a", 1.0, "y"), Priced("a", 2.0)}) == 2
    assert {Single("a"): 1}[Single("a")] == 1
    assert Single("a") != Single("b")
    assert Fieldless() == Fieldless()
    assert len({Fieldless(), Fieldless()}) == 1


def test_values_of_two_classes_are_never_equal() -> None:
    assert Priced("a", 1.0) != Alike("a", 1.0)
    assert len({Priced("a", 1.0), Alike("a", 1.0)}) == 2
    assert hash(Priced("a", 1.0)) != hash(Alike("a", 1.0))
    assert Ours("a", b"", "x") != Below("a", b"", "x")
    assert Single("a") != "a"
    assert not Single("a") == ("a",)  # noqa: SIM201 - the other operator is the one that is asked


def test_a_value_of_what_cannot_be_a_key_is_none() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Single(["a"]))  # type: ignore[arg-type]


def test_an_entity_compares_as_it_is_declared() -> None:
    assert Changing("a") == Changing("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Changing("a"))
    assert Itself("a") != Itself("a")
    assert len({Itself("a"), Itself("a")}) == 2


def test_each_class_of_attrs_is_a_value_or_an_entity() -> None:
    """attrs compiles a ``__repr__`` for any other, and for a frozen one what compares it, at each start."""
    for module in pkgutil.walk_packages(sbf_core.__path__, "sbf_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type] = [object]
    others = []
    while waiting:
        for each in type.__subclasses__(waiting.pop()):
            waiting.append(each)
            if attrs.has(each) and each.__module__.startswith("sbf_core"):
                decorators = inspect.getsource(each).partition("\nclass ")[0]
                is_value = attrs.inspect(each).is_frozen and "eq=False" not in decorators
                if not issubclass(each, Entity) or issubclass(each, Value) != is_value:
                    others.append(each)
    assert others == []
