"""A payload with one value changed: what a vendor sends who corrects himself."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

from sbf_core.bronze.archive import Vintage
from sbf_core.dataset.archive import Archive
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv, Json
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.payload.unpack import GZIP, ZIP
from sbf_core.silver.tables import value_columns
from sbf_core.testing.scratch import ScratchHome

_ROWS_TRIED = 400
_DIGITS = "1234567890"
#: So many values that stand in a payload more than once are worth trying.
PLACES_MAX = 12


def revisions(
    home: ScratchHome,
    entry: DatasetKeymapEntry,
    vintage: Vintage,
    payload: bytes,
    extension: str,
    *,
    bench: ScratchHome,
) -> Iterator[bytes]:
    """Payloads that differ from the given one in one value of one row, the likeliest first; none where no value is
    found in it.

    Args:
        home: holds the rows of the payload.
        bench: an empty one to work in.
        entry: its dataset.
        vintage: the fetch that brought it.
        payload: its bytes.
        extension: what it is stored as.
    """
    if extension == "parquet":
        yield from _revised_parquet(bench, payload)
        return
    if entry.archive is not None:
        members = _members(bench, entry.archive, payload, extension)
        yield from _revised_archive(home, entry, vintage, members, extension)
        return
    inner, member = _unpacked(payload, extension, entry.member)
    for changed in _revised(home, entry, vintage, inner, extension):
        yield _packed(changed, extension, member)


def _members(bench: ScratchHome, archive: Archive, payload: bytes, extension: str) -> list[tuple[str, str, bytes]]:
    """Name, extension and bytes of the members of an archive."""
    from sbf_core.payload.archive import members_of  # few payloads are archives of many files

    with bench.working() as (_, folder):
        (folder / "archive").write_bytes(payload)
        found = members_of(folder / "archive", extension, archive, target=folder / "payload")
        return [(one.name, one.extension, one.path.read_bytes()) for one in found]


def _revised_archive(
    home: ScratchHome, entry: DatasetKeymapEntry, vintage: Vintage, members: Sequence[tuple[str, str, bytes]],
    extension: str,
) -> Iterator[bytes]:  # fmt: skip
    """An archive with one of its members revised, member after member; the others are as they were."""
    from sbf_core.payload.archive import packed_again

    contents = {name: content for name, _, content in members}
    for name, kind, content in members:
        for changed in _revised(home, entry, vintage, content, kind):
            yield packed_again({**contents, name: changed}, extension)


def _revised(
    home: ScratchHome, entry: DatasetKeymapEntry, vintage: Vintage, inner: bytes, extension: str
) -> Iterator[bytes]:
    """The bytes of a text with one value changed."""
    encoding = entry.format.encoding if isinstance(entry.format, Csv) else "utf-8"
    text = inner.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")

    def revised(place: int, form: str) -> bytes:
        changed = text[:place] + _next(form) + text[place + len(form) :]
        return changed.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")

    is_delimited = extension.removesuffix(GZIP) in ("csv", "tsv")
    below = text.find("\n") + 1 if is_delimited else 0  # names of fields are no values
    often: list[tuple[int, int, str]] = []
    for form in _forms(home, entry, vintage):
        places = [
            match.start()
            for match in re.finditer(r"(?<![\w.\-])" + re.escape(form) + r"(?![\w.])", text)
            if match.start() >= below
        ]
        if len(places) == 1:
            yield revised(places[0], form)
        elif places:
            often.append((len(places), places[-1], form))
    for _, place, form in sorted(often)[:PLACES_MAX]:
        yield revised(place, form)


def revisable(entry: DatasetKeymapEntry) -> list[str]:
    """Columns of which a value can be changed in a payload."""
    requested = {column.name for column in entry.columns if column.from_request}
    types = entry.column_types
    return [
        name
        for name in value_columns(entry)
        if name not in requested and types[name] not in ("BOOLEAN", "DATE", "TIMESTAMP")
    ]


def _forms(home: ScratchHome, entry: DatasetKeymapEntry, vintage: Vintage) -> Iterator[str]:
    """How values of rows may be written in the payload: numbers first, then texts."""
    types = entry.column_types
    decimal, thousands = (
        (entry.format.decimal, entry.format.thousands) if isinstance(entry.format, (Csv, Json)) else (".", "")
    )
    names = revisable(entry)
    numbers = [name for name in names if types[name] != "VARCHAR"]
    mine = next((column.name for column in entry.columns if column.source == "request.ticker"), None)
    where = f"WHERE {quoted(mine)} = ?" if mine and vintage.request.ticker else ""
    parameters = [vintage.request.ticker] if where else []
    for chosen in (numbers, [name for name in names if name not in numbers]):
        if not chosen:
            continue
        columns = ", ".join(quoted(name) for name in chosen)
        order = ", ".join(
            f"{quoted(name)} DESC" for name in entry.key_columns
        )  # of one moment the newest days are in the last payload
        seen: set[str] = set()
        rows = home.ask(
            f"SELECT {columns} FROM silver.{quoted(entry.silver_table)} {where} ORDER BY recorded_at DESC, {order} "
            f"LIMIT {_ROWS_TRIED}",
            parameters,
        )
        for row in rows:
            for value in row:
                for form in _written(value, decimal, thousands):
                    if form not in seen:
                        seen.add(form)
                        yield form


def _written(value: object, decimal: str, thousands: str) -> Iterator[str]:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not exact.is_finite() or exact == 0:
            return
        plain = f"{exact.normalize():f}"
        whole, _, fraction = plain.partition(".")
        for digits in range(len(fraction), max(len(fraction), 6) + 1):
            for marked in dict.fromkeys((whole, f"{int(whole):,}".replace(",", thousands))) if thousands else (whole,):
                yield f"{marked}{decimal}{fraction.ljust(digits, '0')}".rstrip(decimal)
        if 0 < abs(exact) < 1:
            yield plain.replace("0.", decimal, 1)
    elif isinstance(value, str) and re.search(r"\w\Z", value):
        yield value


def _next(text: str) -> str:
    """The same with its last digit or letter changed; it stays as long, and a number stays one."""
    last = text[-1]
    if last in _DIGITS:
        return text[:-1] + _DIGITS[(_DIGITS.index(last) + 1) % 9]
    return text[:-1] + ("y" if last == "x" else "Y" if last == "X" else "x" if last.islower() else "X")


def _revised_parquet(bench: ScratchHome, payload: bytes) -> Iterator[bytes]:
    """Parquet is written anew, with one field of its first row changed, field after field."""
    with bench.working() as (cursor, folder):
        source, target = folder / "first.parquet", folder / "revised.parquet"
        source.write_bytes(payload)
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE payload AS SELECT row_number() OVER () AS _n, r.* FROM "
            f"read_parquet({literal(str(source))}, hive_partitioning=false) AS r"
        )
        for name, sql_type, *_ in cursor.execute("DESCRIBE payload").fetchall()[1:]:
            field = quoted(name)
            changed = (
                _other_text(field)
                if sql_type == "VARCHAR"
                else f"{field} + 1"
                if sql_type not in ("BOOLEAN", "DATE") and "TIME" not in sql_type
                else ""
            )
            if changed:
                first = f"_n = (SELECT min(_n) FROM payload WHERE {field} IS NOT NULL)"
                rows = (
                    f"SELECT * EXCLUDE (_n) REPLACE (CASE WHEN {first} THEN {changed} ELSE {field} END AS {field}) "
                    f"FROM payload ORDER BY _n"
                )
                cursor.execute(f"COPY ({rows}) TO {literal(str(target))}")
                yield target.read_bytes()


def _other_text(field: str) -> str:
    """SQL of another text: a number that stands as one stays a number."""
    digit = f"CASE right({field}, 1) WHEN '7' THEN '8' ELSE '7' END"
    return f"CASE WHEN regexp_matches({field}, '[0-9]$') THEN left({field}, -1) || {digit} ELSE {field} || 'x' END"


def _unpacked(payload: bytes, extension: str, member: str) -> tuple[bytes, str]:
    if extension.endswith(GZIP):
        return gzip.decompress(payload), ""
    if extension == ZIP:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            names = archive.namelist()
            name = (
                member if member in names else next(each for each in names if not member or fnmatchcase(each, member))
            )
            return archive.read(name), name
    return payload, ""


def _packed(inner: bytes, extension: str, member: str) -> bytes:
    if extension.endswith(GZIP):
        return gzip.compress(inner, mtime=0)
    if extension == ZIP:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, inner)
        return target.getvalue()
    return inner
