"""How a database is asked when no plugin code is needed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import attrs

from sbf_core.dataset.cursor import Cursor, CursorBy
from sbf_core.dataset.mysql_address import SCHEMES as MYSQL
from sbf_core.dataset.mysql_address import SECRETS as MYSQL_SECRETS
from sbf_core.dataset.mysql_address import why_no_address
from sbf_core.dataset.series_name import EACH
from sbf_core.dataset.sql_text import check_query, names_of, on_one_line
from sbf_core.dataset.templates import check_template
from sbf_core.errors import UsageError
from sbf_core.value import Value

#: How a connection begins, and which database that is.
_SERVERS = ("postgresql", "postgres")
_FILES = ("sqlite", "duckdb", "parquet")
#: What a query may ask for.
_NAMES = frozenset({"ticker", "discriminator", "from_date", "to_date", "cursor"})
#: What may be secret of a connection (https://www.postgresql.org/docs/current/libpq-connect.html).
_KEYWORDS = frozenset({"host", "hostaddr", "port", "dbname", "user", "password", "sslpassword"})
_SECRET_WORDS = frozenset({"password", "sslpassword", "passfile", "passwd"})


@attrs.frozen(kw_only=True)
class SqlRecipe(Value):
    """One query per request, to a database that is only read; the rows are kept as Parquet.

    Attributes:
        connection: where the database is: ``postgresql://reader@db.example.com/shop?sslmode=verify-full`` or
            ``mysql://reader@db.example.com/shop``, without a password; ``sqlite:shop.db`` or ``duckdb:shop.duckdb``, a
            file in the ``files`` folder of the home; or ``parquet:lake/**/*.parquet``, files there, which the query
            reads as the table ``files``.
        query: one SELECT, with ``{ticker}``, ``{discriminator}``, ``{from_date}``, ``{to_date}``, ``{cursor}`` and
            ``{each.NAME}``. A value is bound as a text in the place of each, never pasted; so none stands in quotes.
            A brace of its own is written ``{{``.
        secrets: what is secret of a connection to a server, as names of keys: ``{"password": "SHOP_PASSWORD"}``; names
            are those of libpq; of MySQL ``host``, ``port``, ``user``, ``password`` and ``database``.
        cursor: what ``{cursor}`` is: a moment, e.g. ``Cursor(by="moment", column="updated")``, or a whole number, e.g.
            ``Cursor(by="number", column="id", first="0", overlap=1000)``, which is bound as a number.
        date_format: ``strftime`` format of ``{from_date}`` and ``{to_date}``.
        connections: queries to the source at once, in all its datasets together.
        deadline_seconds: the time for one query and all of its rows.
        mebibytes_max: the largest answer that is taken, as texts and as Parquet.
    """

    connection: str
    query: str
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    cursor: Cursor | None = None
    date_format: str = "%Y-%m-%d"
    connections: int = 4
    deadline_seconds: float = 600.0
    mebibytes_max: int = 512

    def __attrs_post_init__(self) -> None:
        check_template(self.query, what="query")
        check_query(self.query)
        self._check_connection()
        has_cursor, days = self.cursor is not None, self.named & {"from_date", "to_date"}
        what = fix = ""
        unknown = sorted(name for name in self.named if name not in _NAMES and not name.startswith(EACH))
        if unknown:
            what = f"the query holds {{{unknown[0]}}}"
            fix = f"placeholders are {', '.join(f'{{{name}}}' for name in sorted(_NAMES))} and {{{EACH}NAME}}"
        elif ("cursor" in self.named) != has_cursor or (has_cursor and days):
            what = "{cursor} in the query and cursor= belong together, without days"
            fix = 'cursor=Cursor(by="moment", column="updated")'
        elif self.cursor is not None and self.cursor.by is CursorBy.TOKEN:
            what, fix = "the cursor of a query is a moment or a number", 'cursor=Cursor(by="moment", column="updated")'
        elif self.connections < 1 or self.deadline_seconds <= 0 or self.mebibytes_max < 1:
            what, fix = "connections, deadline_seconds and mebibytes_max must be above zero", "leave them out"
        if what:
            raise UsageError(what, where=self._where, fix=fix, code="RECIPE")

    def _check_connection(self) -> None:
        what = fix = ""
        scheme, _, rest = self.connection.partition(":")
        if scheme in _FILES:
            if not rest or rest.startswith("//") or "\\" in rest or "?" in rest:
                what, fix = f"the connection {self.connection!r} names no file", f'connection="{scheme}:shop.{scheme}"'
            elif self.secrets:
                what, fix = "a file is opened without secrets", "leave secrets out"
        elif scheme not in (*_SERVERS, *MYSQL):
            what = f"the connection {scheme!r} is none that is known"
            fix = f"begin it with one of {', '.join(f'{one}:' for one in (_SERVERS[0], MYSQL[0], *_FILES))}"
        else:
            what, fix = self._wrong_server()
        if what:
            raise UsageError(what, where=self._where, fix=fix, code="RECIPE")

    def _wrong_server(self) -> tuple[str, str]:
        try:
            parts = urlsplit(self.connection)
            has_password, options = parts.password is not None, dict(parse_qsl(parts.query, keep_blank_values=True))
        except ValueError:
            return "the connection is no address", 'connection="postgresql://reader@db.example.com/shop"'
        if has_password or _SECRET_WORDS & set(options):
            fix = 'leave it out, and name a key: secrets={"password": "SHOP_PASSWORD"}'
            return "the connection holds a password, which would stand in the journal", fix
        is_mysql = self.kind == MYSQL[0]
        words = MYSQL_SECRETS if is_mysql else _KEYWORDS
        if not set(self.secrets) <= words or not all(isinstance(key, str) and key for key in self.secrets.values()):
            fix = f'secrets={{"password": "SHOP_PASSWORD"}}; they are: {", ".join(sorted(words))}'
            return f"secrets are names of keys, each for a word of {'the connection' if is_mysql else 'libpq'}", fix
        if set(options) & set(self.secrets):
            return f"{min(set(options) & set(self.secrets))!r} is in the connection and a secret", "say it once"
        return why_no_address(self.connection) if is_mysql else ("", "")

    @property
    def _where(self) -> str:
        """The beginning of the query: the connection may hold what must not be shown."""
        return on_one_line(self.query)[:80]

    @property
    def kind(self) -> str:
        """Which database it is: ``postgresql``, ``mysql``, ``sqlite``, ``duckdb`` or ``parquet``."""
        scheme = self.connection.partition(":")[0]
        if scheme in MYSQL:
            return MYSQL[0]
        return _SERVERS[0] if scheme in _SERVERS else scheme

    @property
    def path(self) -> str:
        """The file, or the pattern of files; empty for a server."""
        return "" if self.kind in (*_SERVERS, *MYSQL) else self.connection.partition(":")[2]

    @property
    def extension(self) -> str:
        """What an answer is stored and read as."""
        return "parquet"

    @property
    def named(self) -> frozenset[str]:
        """The placeholders in its query."""
        return names_of(self.query)

    def address(self, values: Mapping[str, str | int]) -> str:
        """How a request is called in journal, ledger and recordings: where, what, and with which values."""
        given = " ".join(f"{name}={values[name]!r}" for name in sorted(self.named))
        return f"SQL {self.connection} {on_one_line(self.query)} {given}".rstrip()
