"""SQL that turns a relation with the vendor's names into one with slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sbf_core.duck.identifiers import literal, literal_list, quoted
from sbf_core.errors import FieldGone
from sbf_core.payload.model import Look, Reading
from sbf_core.value import Value
from sbf_core.vocabulary import OnDuplicate

#: The columns before the slots, where nothing is wrong with any row.
NO_FAULT = "CAST(NULL AS VARCHAR) AS _place, CAST(NULL AS VARCHAR) AS _fault, CAST(NULL AS VARCHAR) AS _raw"


@attrs.frozen
class Owner(Value):
    """How the rows of payloads that the engine reads find the id of theirs.

    Attributes:
        file_id: an expression.
        join: what follows the relation of rows, or nothing.
    """

    file_id: str
    join: str


def owner_of(reading: Reading, looks: Sequence[Look], path: str) -> Owner:
    """The owner of rows, by the expression ``path`` for the path that the engine read.

    The table ``batch_file`` is joined, which costs least. But the engine may build the hash table of a join from
    either side, and gives the rows of that side backwards. Where it matters which row of a payload comes first, the id
    is therefore looked up without a join. Of one payload it is known.
    """
    if len(looks) == 1:
        return Owner(literal(looks[0].file.file_id), "")
    if reading.entry.on_duplicate is OnDuplicate.REJECT:
        return Owner("f.bronze_file_id", f" JOIN batch_file AS f ON f.path = {path}")
    paths = literal_list(look.file.place for look in looks)
    ids = literal_list(look.file.file_id for look in looks)
    return Owner(f"{ids}[enum_code(CAST({path} AS ENUM({paths[1:-1]}))) + 1]", "")


def slots_from(
    reading: Reading, fields: Mapping[str, str], source: str, *, strict: bool = True
) -> tuple[str, dict[str, str]]:
    """A relation with slots over one with fields by the vendor's names, and the type of each slot that there is.

    Args:
        reading: what is wanted.
        fields: the relation's columns and their types.
        source: the relation: ``_file`` and the fields.
        strict: a declared field must be among them, unless its column is optional.

    Raises:
        PayloadRefused: a declared field is not among them, and its column is not optional.
    """
    parts: list[str] = []
    types: dict[str, str] = {}
    for slot in reading.slots:
        name = next((candidate for candidate in slot.sources if candidate in fields), None)
        if name is None:
            if strict and not slot.column.optional:
                known = ", ".join(name for name in list(fields)[:12] if name != "_file")
                fix = (
                    f"declare source= or also= for the column {slot.column.name}, or optional=True if payloads may "
                    f"lack it"
                )
                what = f"has no field {slot.sources[0]!r}; it has {known}"
                raise FieldGone(what, column=slot.column.name, fix=slot.column.fix or fix)
            continue
        parts.append(f"r.{quoted(name)} AS {slot.name}")
        types[slot.name] = fields[name]
    return f"SELECT {', '.join(['r._file', NO_FAULT, *parts])} FROM ({source}) AS r", types
