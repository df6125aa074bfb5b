"""Fields of payloads that no column takes: kept in the ledger, and told once, with examples of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError, printable
from sbf_core.ops.service import OpsService
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.model import Slot
from sbf_core.silver.drift import fields_by_name, undeclared
from sbf_core.silver.inspection import Inspected
from sbf_core.silver.staging import Staged

_SHOWN_MAX = 5
_EXAMPLES = 3
_ROWS_LOOKED_AT = 200
_TEXT_SHOWN_MAX = 40


def record_fields(
    ops: OpsService, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, staged: Staged, *, tells: bool
) -> tuple[str, ...]:
    """Keep which fields came or went; a line for those that are new, or none. Writes ops.schema_drift in the caller's
    transaction.

    Args:
        ops: the facade.
        conn: inside a transaction.
        entry: the dataset.
        staged: its payloads.
        tells: whether anybody reads the line; else values are not looked for.
    """
    if not staged.items or not staged.fields:
        return ()
    last = staged.items[-1]
    came = undeclared(entry, staged.fields)
    missing = [names[0] for names in fields_by_name(entry) if not set(names) & set(staged.fields)]
    if not came and not missing:  # nearly always
        return ()
    known = ops.known_drift(conn, entry.silver_table)
    new = [name for name in came if (name, "added") not in known]
    holders = (item for item in staged.items if item.look is not None and set(new) & set(item.look.fields))
    holder = next(holders, last)
    examples = _examples(entry, holder, new) if new and tells else dict.fromkeys(new, "")
    changes = {name: ("added", holder.file_id, text) for name, text in examples.items()}
    changes |= {name: ("missing", last.file_id, "") for name in missing if (name, "missing") not in known}
    ops.record_drift(conn, entry.silver_table, changes)
    return (_told(examples),) if examples else ()


def _examples(entry: DatasetKeymapEntry, item: Inspected, names: Sequence[str]) -> dict[str, str]:
    """Some values of fields that are not declared, as one text for each; empty where they cannot be read."""
    columns = [
        Column(name=f"c{place}", type="VARCHAR", nullable=True, source=name, optional=True)
        for place, name in enumerate(names)
    ]
    slots = tuple(Slot(name=f"f{place}", column=column) for place, column in enumerate(columns))
    reading = reading_of(entry, item.extension, slots=slots)
    if reading is None:
        return dict.fromkeys(names, "")
    seen: dict[str, dict[str, None]] = {name: {} for name in names}
    try:
        for record in islice(reader_of(reading.format.kind).records(reading, item.payload_file), _ROWS_LOOKED_AT):
            for name, text in zip(names, record.values, strict=True):
                if text is not None and len(seen[name]) < _EXAMPLES:
                    seen[name][printable(text)[:_TEXT_SHOWN_MAX]] = None
    except (SbfError, OSError):
        pass  # a name that is no plain name in a path of JSON, e.g.: then there is no example
    return {name: ", ".join(examples) for name, examples in seen.items()}


def _told(fields: Mapping[str, str]) -> str:
    """One line for fields that came for the first time, with examples."""
    shown = [f"{printable(name)!r}" + (f" ({text})" if text else "") for name, text in fields.items()]
    more = f" and {len(shown) - _SHOWN_MAX} more" if len(shown) > _SHOWN_MAX else ""
    return f"payloads have fields that are not declared: {', '.join(shown[:_SHOWN_MAX])}{more}; they are kept in Bronze"
