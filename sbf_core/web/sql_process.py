"""Asks one query and ends: ``python -m sbf_core.web.sql_process``.

What it may use, the system limits, because DuckDB has no limit of time.

It reads one message and writes two, see ``child.messages``: ``begun``, and the answer; all others are JSON. Starting
Python and opening the database are no part of the time that a query has.
"""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.child.limits import limit_memory
from sbf_core.child.messages import receive, send
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.engine_errors import first_line
from sbf_core.errors import SbfError
from sbf_core.reports.sql_query import asked, check_query

#: What it says when it begins with its query.
BEGUN = b"begun"
_MEMORY = "512MB"
_ADDRESS_SPACE_BYTES = 2 * 1024**3
_CELL_CHARACTERS_MAX = 10_000


def _begin(cpu_seconds: int) -> None:
    """From here on the query has its time."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        end = math.ceil(used.ru_utime + used.ru_stime) + cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))
    send(sys.stdout.buffer, BEGUN)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON knows no NaN
    return (value.hex() if isinstance(value, bytes) else str(value))[:_CELL_CHARACTERS_MAX]


def _answer(wanted: dict[str, Any]) -> dict[str, Any]:
    config = DuckDbConfig(home=wanted["home"], threads=1, memory_limit=_MEMORY)
    database = Path(wanted["database"])
    bootstrap = DuckDbBootstrap(config, read_only=True, database=database)
    try:
        cursor = bootstrap.open().cursor()
        _begin(wanted["cpu_seconds"])
        check_query(cursor, wanted["query"])
        answer = asked(cursor, wanted["query"], limit=wanted["limit"], nested=False)
    except SbfError as error:
        return {"error": str(error)} if database.exists() else {"gone": True}  # a run put a newer copy in its place
    except UnicodeDecodeError as error:
        return {"error": first_line(error)}
    except (duckdb.Error, MemoryError) as error:
        return {"error": str(error) or "it needs more memory than a query may have"}
    finally:
        bootstrap.close()
    return {
        "headers": answer.headers,
        "rows": [[_plain(value) for value in row] for row in answer.rows],
        "more": answer.more,
    }


def main() -> None:
    """Read the query, answer it."""
    wanted = json.loads(receive(sys.stdin.buffer))
    limit_memory(_ADDRESS_SPACE_BYTES)
    send(sys.stdout.buffer, json.dumps(_answer(wanted)).encode())


if __name__ == "__main__":
    main()
