"""What decides the rows of a gold table, kept with it: a table that is declared otherwise than it was built is told.

It stands in ``ops.gold_watermarks`` before what the table was built from, in the transaction that builds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.gold.model import GoldModel
from sbf_core.ops.queries import load_gold_inputs
from sbf_core.value import Value

#: Between the declaration, a hash of what the table was built from, and that itself.
_BETWEEN = "\n"
_PARTS = 3
_PLAIN = ("kind", "surrogate_key", "date_column")


def declaration_text(model: GoldModel) -> str:
    """What decides the rows of a gold table, as JSON; the same for equal declarations.

    A model over its sources says what it says without them: that another source is there is new input, and no other
    declaration.
    """
    declared = model.declared
    sources = [[name, [[one.table, one.sql] for one in alternatives]] for name, alternatives in declared.sources]
    facts: dict[str, Any] = {
        "sql": hashlib.sha256(repr((declared.sql.strip(), sources)).encode()).hexdigest()[:16],
        "key": list(declared.key),
        "tests": sorted(_told(test) for test in declared.tests),
    }
    facts |= {name: getattr(declared, name) for name in _PLAIN}
    return json.dumps(facts, sort_keys=True)


def _told(test: Any) -> str:
    given = attrs.asdict(test)
    return f"{type(test).__name__}({', '.join(f'{name}={given[name]!r}' for name in sorted(given))})"


def with_inputs(model: GoldModel, versions: Mapping[str, str]) -> str:
    """What is kept with a table: its declaration, a hash of what it was built from, and that itself.

    Args:
        model: the table.
        versions: of each table that it reads, as ``schema.table``.
    """
    made = hashlib.sha256(repr((model.full_sql, sorted(versions.items()))).encode()).hexdigest()
    read = json.dumps({"sql": _hash_of_sql(model), "tables": dict(versions)}, sort_keys=True)
    return _BETWEEN.join((declaration_text(model), made, read))


def is_built_from(kept: str | None, inputs: str) -> bool:
    """Whether a table was built as ``with_inputs`` says now; an older sbf kept only the beginning of it."""
    return bool(kept) and (kept == inputs or inputs.startswith(f"{kept}{_BETWEEN}"))


def declared_before(inputs: str | None) -> Mapping[str, Any] | None:
    """The declaration that built a table, out of what is kept with it; None where an older sbf kept none."""
    text, between, _ = (inputs or "").partition(_BETWEEN)
    return json.loads(text) if between else None


def read_before(inputs: str | None, model: GoldModel) -> Mapping[str, str] | None:
    """The versions of what a table was built from, out of what is kept with it; None where it was declared otherwise,
    or an older sbf did not keep them.
    """
    parts = (inputs or "").split(_BETWEEN)
    if len(parts) != _PARTS or parts[0] != declaration_text(model):
        return None
    read = json.loads(parts[2])
    return read["tables"] if read["sql"] == _hash_of_sql(model) else None


def _hash_of_sql(model: GoldModel) -> str:
    return hashlib.sha256(model.full_sql.encode()).hexdigest()


def changes(before: Mapping[str, Any], model: GoldModel) -> tuple[str, ...]:
    """What differs between the declaration that built a table and the one that holds now, in words."""
    after = json.loads(declaration_text(model))
    told = ["its SQL has changed"] if before["sql"] != after["sql"] else []
    if before["key"] != after["key"]:
        told.append(f"the key was ({', '.join(before['key'])}) and is ({', '.join(after['key'])})")
    for name in _PLAIN:
        if before[name] != after[name]:
            told.append(f"{name} was {before[name] or 'none'} and is {after[name] or 'none'}")
    if before["tests"] != after["tests"]:
        told.append("its tests have changed")
    return tuple(told)


@attrs.frozen(kw_only=True)
class StaleGold(Value):
    """A gold table that is declared otherwise than it was built.

    Attributes:
        table: its name, without schema.
        why: what differs, in words.
    """

    table: str
    why: tuple[str, ...]


def stale_gold(conn: duckdb.DuckDBPyConnection, models: Sequence[GoldModel]) -> list[StaleGold]:
    """The gold tables that are there and that another declaration built than the one that holds now."""
    inputs = load_gold_inputs(conn)
    stale = []
    for model in models:
        before = declared_before(inputs.get(model.name))
        why = changes(before, model) if before is not None else ()
        if why:
            stale.append(StaleGold(table=model.name, why=why))
    return stale
