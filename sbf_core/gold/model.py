"""``GoldModel``: a gold table as a SELECT, with its key and its tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.chart import Chart, charts
from sbf_core.duck.identifiers import quoted, quoted_list
from sbf_core.errors import UsageError
from sbf_core.unicode_text import half_letter_in
from sbf_core.value import Value
from sbf_core.vocabulary import check_name, texts

_ALL_ROWS = "\nUNION ALL BY NAME\n"
KINDS = ("dimension", "fact")


@attrs.frozen(kw_only=True)
class AcceptedRange(Value):
    """Values of ``column`` lie between ``low`` and ``high``, both included; None is open; NULL passes."""

    column: str
    low: float | None = None
    high: float | None = None

    @property
    def name(self) -> str:
        """Name of the test in ``ops.gold_tests``."""
        return f"accepted_range:{self.column}"

    def failing(self, table: str) -> str:
        """SELECT of the rows that fail."""
        bounds = [f"t.{quoted(self.column)} < {self.low}"] if self.low is not None else []
        bounds += [f"t.{quoted(self.column)} > {self.high}"] if self.high is not None else []
        return f"SELECT 1 FROM {table} AS t WHERE {' OR '.join(bounds) or 'false'}"


@attrs.frozen(kw_only=True)
class NotNull(Value):
    """``column`` is never NULL."""

    column: str

    @property
    def name(self) -> str:
        """Name of the test in ``ops.gold_tests``."""
        return f"not_null:{self.column}"

    def failing(self, table: str) -> str:
        """SELECT of the rows that fail."""
        return f"SELECT 1 FROM {table} AS t WHERE t.{quoted(self.column)} IS NULL"


@attrs.frozen(kw_only=True)
class Unique(Value):
    """No two rows share the values of ``columns``."""

    columns: tuple[str, ...] = attrs.field(converter=texts)

    @property
    def name(self) -> str:
        """Name of the test in ``ops.gold_tests``."""
        return f"unique:{','.join(self.columns)}"

    def failing(self, table: str) -> str:
        """SELECT of the rows that fail."""
        return f"SELECT 1 FROM {table} AS t GROUP BY {quoted_list(self.columns, prefix='t.')} HAVING count(*) > 1"


@attrs.frozen(kw_only=True)
class ForeignKey(Value):
    """Values of ``columns`` are found in ``to_columns`` of the gold table ``to``; NULL passes."""

    columns: tuple[str, ...] = attrs.field(converter=texts)
    to: str
    to_columns: tuple[str, ...] = attrs.field(converter=texts)

    @property
    def name(self) -> str:
        """Name of the test in ``ops.gold_tests``."""
        return f"foreign_key:{','.join(self.columns)}"

    def failing(self, table: str) -> str:
        """SELECT of the rows that fail."""
        if len(self.columns) != len(self.to_columns):
            columns = counted(len(self.columns), "column stands", "columns stand")
            what = f"test {self.name}: {columns} against {len(self.to_columns)} of gold.{self.to}"
            raise UsageError(what, fix="give as many to_columns as columns", code="GOLD")
        pairs = zip(self.columns, self.to_columns, strict=True)
        on = " AND ".join(f"t.{quoted(column)} = o.{quoted(other)}" for column, other in pairs)
        some = " AND ".join(f"t.{quoted(column)} IS NOT NULL" for column in self.columns)
        return f"SELECT 1 FROM {table} AS t ANTI JOIN gold.{quoted(self.to)} AS o ON {on} WHERE {some}"


GoldTest = AcceptedRange | NotNull | Unique | ForeignKey


@attrs.frozen(kw_only=True)
class GoldSource(Value):
    """One of several places that the rows of a model may come from.

    Attributes:
        table: the silver table that must hold rows for this source to be taken, e.g. ``silver.fmp_eod``; empty: it
            always is.
        sql: one SELECT of its rows; all of ``table`` if empty.
    """

    table: str = ""
    sql: str = ""

    def __attrs_post_init__(self) -> None:
        if self.table and not self.table.startswith("silver."):
            raise UsageError(
                f"a gold source is a silver table, and not {self.table!r}", fix="write silver.<table>", code="GOLD"
            )
        if not self.table and not self.sql:
            raise UsageError("a gold source has neither table nor sql", fix="name the silver table", code="GOLD")

    def select(self, rank: int) -> str:
        """Its rows, with their rank in front."""
        return f"SELECT {rank} AS source_rank, * FROM (\n{self.sql.strip() or f'SELECT * FROM {self.table}'}\n)"


GoldSources = tuple[tuple[str, tuple[GoldSource, ...]], ...]


def _sources(sources: Mapping[str, Iterable[GoldSource]] | GoldSources) -> GoldSources:
    pairs = sources.items() if isinstance(sources, Mapping) else sources
    return tuple((name, tuple(alternatives)) for name, alternatives in pairs)


def _tests(tests: Iterable[GoldTest]) -> tuple[GoldTest, ...]:
    return tuple(tests)


@attrs.frozen(kw_only=True)
class GoldModel(Value):
    """A gold table.

    Attributes:
        name: the table in the schema ``gold``.
        key: columns that make a row unique; tested at each build, together with that none of them is NULL.
        sql: one SELECT over silver and gold tables, written as ``silver.x`` and ``gold.x``.
        kind: ``dimension`` or ``fact``.
        surrogate_key: name of a column to add in front: 63 bits of the MD5 of the key, the same at every build
            and on every machine; tested to be unique.
        date_column: the column whose latest value is the table's watermark.
        tests: checks that each build must pass; a table that fails one stays as it was.
        sources: where rows may come from, best first, by the name under which ``sql`` reads them: the rows of all
            sources that are there, columns matched by name, with ``source_rank`` (0 for the best). So a model can be
            built from whatever the user fetches:
            ``sources={"bars": [GoldSource(table="silver.fmp_eod"), GoldSource(table="silver.yahoo_eod")]}``. It waits
            until one of all the tables is there.
        charts: pictures of its rows; one is made up where none is declared and the columns allow it. They are no part
            of what is built.
        doc: what a row is, for readers.
    """

    name: str
    key: tuple[str, ...] = attrs.field(converter=texts)
    sql: str
    kind: str = "fact"
    surrogate_key: str = ""
    date_column: str = ""
    tests: tuple[GoldTest, ...] = attrs.field(default=(), converter=_tests)
    doc: str = ""
    sources: GoldSources = attrs.field(default=(), converter=_sources)
    charts: tuple[Chart, ...] = attrs.field(default=(), converter=charts)

    def __attrs_post_init__(self) -> None:
        check_name(self.name, what="gold table")
        wrong = half_letter_in(self)
        if wrong:
            raise UsageError(
                f"{wrong} holds half of a surrogate pair, which is no letter",
                where=f"gold.{self.name}",
                fix="write the letter whole",
                code="GOLD",
            )
        if self.kind not in KINDS:
            raise UsageError(
                f"gold kind {self.kind!r} is not known",
                where=f"gold.{self.name}",
                fix="use dimension or fact",
                code="GOLD",
            )
        if not self.key:
            raise UsageError(
                "has no key", where=f"gold.{self.name}", fix="name the columns that make a row unique", code="GOLD"
            )
        given: tuple[object, ...] = self.tests
        for test in given:
            if not isinstance(test, GoldTest):
                what = f"a test is {type(test).__name__}, which is none"
                raise UsageError(
                    what, where=f"gold.{self.name}", fix="use NotNull, Unique, AcceptedRange or ForeignKey", code="GOLD"
                )
        for name, alternatives in self.sources:
            check_name(name, what=f"gold.{self.name}: source")
            if not alternatives:
                raise UsageError(
                    f"source {name!r} names no table",
                    where=f"gold.{self.name}",
                    fix="give it one GoldSource or more",
                    code="GOLD",
                )

    def over(self, filled: Collection[str]) -> GoldModel:
        """The same model over the sources that are there.

        Args:
            filled: silver tables that hold rows, with their schema.
        """
        if not self.sources:
            return self
        there = {
            name: [
                (rank, source) for rank, source in enumerate(alternatives) if not source.table or source.table in filled
            ]
            for name, alternatives in self.sources
        }
        if not any(source.table for ranked in there.values() for _, source in ranked):  # then it waits for the best
            there = {name: [(0, alternatives[0])] for name, alternatives in self.sources}
        parts = []
        for name, alternatives in self.sources:
            rows = [source.select(rank) for rank, source in there[name] or [(0, alternatives[0])]]
            # A source with a column source_rank of its own is refused by the engine, as it is where there are several.
            if len(rows) == 1:
                rows.append("SELECT 0 AS source_rank WHERE false")
            parts.append(f"{quoted(name)} AS (\n{_ALL_ROWS.join(rows)}\n)")
        sql = f"WITH {', '.join(parts)}\nSELECT * FROM (\n{self.sql.strip().rstrip(';')}\n) AS joined"
        given = {field.name: getattr(self, field.name) for field in attrs.fields(GoldModel)}
        return _OverSources(**{**given, "sql": sql, "sources": ()}, declared_as=self)

    @property
    def declared(self) -> GoldModel:
        """The model as its plugin wrote it."""
        return self

    @property
    def full_sql(self) -> str:
        """The SELECT, wrapped, with the surrogate key in front where there is one."""
        return self.with_surrogate_key(self.body_sql)

    def with_surrogate_key(self, body: str) -> str:
        """A SELECT of rows of this table, with the surrogate key in front where there is one."""
        if not self.surrogate_key:
            return body
        texts = [f"CAST(model.{quoted(column)} AS VARCHAR)" for column in self.key]
        if len(texts) > 1:  # ('a|b', 'c') is not ('a', 'b|c')
            texts = [f"replace(replace({text}, '\\', '\\\\'), '|', '\\|')" for text in texts]
        packed = f"concat_ws('|', {', '.join(texts)})"
        return (
            f"SELECT CAST(md5_number_lower({packed}) >> 1 AS BIGINT) AS {quoted(self.surrogate_key)}, model.* "
            f"FROM ({body}) AS model"
        )

    @property
    def body_sql(self) -> str:
        """The SELECT, wrapped, without the surrogate key."""
        return f"SELECT * FROM ({self.sql.strip().rstrip(';')}\n) AS model"

    @property
    def all_tests(self) -> tuple[GoldTest, ...]:
        """The declared tests and those that come with the keys."""
        implied: list[GoldTest] = [Unique(columns=self.key), *(NotNull(column=column) for column in self.key)]
        if self.surrogate_key:
            implied.append(Unique(columns=(self.surrogate_key,)))
        return (*implied, *(test for test in self.tests if test.name not in {own.name for own in implied}))


@attrs.frozen(kw_only=True)
class _OverSources(GoldModel):
    """A model over the sources that are there."""

    declared_as: GoldModel

    @property
    def declared(self) -> GoldModel:
        return self.declared_as


def sql_file(module_file: str, name: str) -> str:
    """The text of ``sql/<name>.sql`` in the folder of a plugin module: ``sql_file(__file__, "dim_date")``."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
