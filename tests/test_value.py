"""Values print as attrs has them print."""

from __future__ import annotations

import importlib
import pkgutil

import attrs

import sbf_core
from sbf_core.value import Value


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


def test_each_class_of_attrs_is_a_value() -> None:
    """attrs compiles a ``__repr__`` for any other, at each start."""
    for module in pkgutil.walk_packages(sbf_core.__path__, "sbf_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting, others = [object], []
    while waiting:
        for each in type.__subclasses__(waiting.pop()):
            waiting.append(each)
            if attrs.has(each) and each.__module__.startswith("sbf_core") and not issubclass(each, Value):
                others.append(each)
    assert others == []
