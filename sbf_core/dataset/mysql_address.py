"""The address of a MySQL or MariaDB server, as a connection of a ``SqlRecipe`` names it."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from sbf_core.value import Value

SCHEMES = ("mysql", "mariadb")
#: What may be secret of a connection.
SECRETS = frozenset({"host", "port", "user", "password", "database"})
#: What may stand behind ``?``, by the names of MySQL's own client
#: (https://dev.mysql.com/doc/refman/8.4/en/connection-options.html).
OPTIONS = ("ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket")
#: How sure it must be who answers. The client's others take whoever answers.
MODES = ("DISABLED", "VERIFY_CA", "VERIFY_IDENTITY")
_HERE = ("", "localhost", "127.0.0.1", "::1")


@attrs.frozen(kw_only=True)
class MySqlAddress(Value):
    """A server, a database in it, and who asks.

    Attributes:
        host, port, user, database: of the connection; empty, or 0, where it does not say it.
        options: what stands behind ``?``.
    """

    host: str = ""
    port: int = 0
    user: str = ""
    database: str = ""
    options: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, connection: str) -> MySqlAddress:
        """The address that a connection is. Raises ``ValueError`` for what is none."""
        parts = urlsplit(connection)
        return cls(
            host=parts.hostname or "",
            port=parts.port or 0,
            user=unquote(parts.username or ""),
            database=unquote(parts.path.removeprefix("/")),
            options=dict(parse_qsl(parts.query, keep_blank_values=True)),
        )

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine."""
        return self.host in _HERE or bool(self.options.get("socket"))

    @property
    def mode(self) -> str:
        """How the connection is encrypted; empty on this machine, where it is encrypted if the server can."""
        return self.options.get("ssl-mode") or ("" if self.is_here else "VERIFY_IDENTITY")


def why_no_address(connection: str) -> tuple[str, str]:
    """What is wrong with a connection, and how to mend it; empty where nothing is."""
    try:
        address = MySqlAddress.of(connection)
    except ValueError:
        return "the connection is no address", 'connection="mysql://reader@db.example.com/shop"'
    unknown = next((name for name in address.options if name not in OPTIONS), "")
    if unknown:
        return f"the connection has {unknown!r} behind ?", f"it may have {', '.join(OPTIONS)}"
    if address.options.get("ssl-mode", MODES[0]) not in MODES:
        return "the connection's ssl-mode would take whoever answers", f"write one of {', '.join(MODES)}"
    if "/" in address.database or "\0" in connection:
        return "the connection names no database", 'connection="mysql://reader@db.example.com/shop"'
    return "", ""
