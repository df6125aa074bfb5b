"""Local time and instants: which instant a local time of a zone is, and from when a row was known.

The engine's time zone database (that of its ICU library) is the only source, so that a rebuild gives what the first run
gave. Checked against Python's zoneinfo around every change of all zones: where both hold the same rules they agree.

Instants are microseconds since 1970 in SQL, so that nothing depends on the session's zone.
"""

from __future__ import annotations

from sbf_core.dataset.columns import END_OF_DAY, START_OF_DAY, Column
from sbf_core.duck.identifiers import literal
from sbf_core.silver.cast_steps import RELATION

#: No zone is further from UTC than 16 hours, and no two changes of one are nearer than 60 hours: before and after hold
#: one rule each.
_REACH = 26 * 3600 * 1_000_000
_FIRST, _LAST = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"


def wall(zone: str, instant: str) -> str:
    """SQL: what clocks in ``zone`` show at an instant (microseconds): TIMESTAMP."""
    return f"timezone({literal(zone)}, make_timestamptz({instant}))"


def candidates(zone: str, local: str) -> tuple[str, str]:
    """SQL: the instants that a local time would be by the rule before and by the rule after it: equal on all days but
    those of a change.
    """
    here = f"epoch_us({local})"
    before = f"(2 * {here} - {_REACH} - epoch_us({wall(zone, f'{here} - {_REACH}')}))"
    after = f"(2 * {here} + {_REACH} - epoch_us({wall(zone, f'{here} + {_REACH}')}))"
    return before, after


def is_shown(zone: str, instant: str, local: str) -> str:
    """SQL: whether clocks in ``zone`` show ``local`` at the instant."""
    return f"{wall(zone, instant)} = {local}"


def settled(zone: str, fold: str, local: str, before: str, after: str) -> str:
    """SQL: the instant of a local time; NULL where the zone skips it, or has it twice and no ``fold`` says which."""
    choice = {"first": f"least({before}, {after})", "last": f"greatest({before}, {after})", "": "NULL"}[fold]
    first, last = is_shown(zone, before, local), is_shown(zone, after, local)
    return (
        f"CASE WHEN {before} = {after} THEN {before} WHEN {first} THEN CASE WHEN {last} THEN {choice} "
        f"ELSE {before} END WHEN {last} THEN {after} END"
    )


def in_years(moment: str) -> str:
    """SQL: a TIMESTAMP of the years 1 to 9999, else NULL."""
    return f"CASE WHEN {moment} BETWEEN {_FIRST} AND {_LAST} THEN {moment} END"


def day_in_years(day: str) -> str:
    """SQL: a DATE of the years 1 to 9999, else NULL."""
    return f"CASE WHEN {day} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN {day} END"


def in_nanoseconds(count: str) -> str:
    """SQL: TIMESTAMP_NS of a HUGEINT of nanoseconds since 1970; NULL out of its range, which begins with 1677-09-22
    here.

    The hours of that day's eve which the type reaches too are ones that DuckDB 1.5.5 fails to write as text. The ends
    of BIGINT stand for infinities.
    """
    return (
        f"CASE WHEN {count} BETWEEN -9223286400000000000 AND 9223372036854775806 "
        f"THEN make_timestamp_ns(CAST({count} AS BIGINT)) END"
    )


def known_from_expression(column: Column, value_sql: str) -> str:
    """SQL: from which moment (TIMESTAMP, UTC) a row was known, by the value of its ``known_from`` column; never earlier
    than true.

    A TIMESTAMP is that moment; of a TIMESTAMP_NS the next whole microsecond. A DATE is known from ``known_at`` of that
    day in ``zone`` (UTC where there is none): ``end of day`` is 00:00 of the next day. In an hour that the zone skips
    it is the first moment behind it, in one that it has twice the last.
    """
    if column.type == "TIMESTAMP":
        return value_sql
    if column.type == "TIMESTAMP_NS":
        # the engine's own cast goes towards 1970, so it is later than true before it
        return (
            f"(CAST({value_sql} AS TIMESTAMP) + to_microseconds(CASE "
            f"WHEN CAST(CAST({value_sql} AS TIMESTAMP) AS TIMESTAMP_NS) < {value_sql} THEN 1 ELSE 0 END))"
        )
    shift = {END_OF_DAY: "INTERVAL 1 DAY", START_OF_DAY: "INTERVAL 0 DAY"}.get(
        column.known_at
    ) or f"INTERVAL {literal(column.known_at + ':00')}"
    local = f"(CAST({value_sql} AS TIMESTAMP) + {shift})"
    if column.zone in ("", "UTC"):
        return local
    before, after = candidates(column.zone, local)
    first, last = is_shown(column.zone, before, local), is_shown(column.zone, after, local)
    instant = (
        f"CASE WHEN {before} = {after} THEN {before} WHEN {first} AND {last} THEN greatest({before}, {after}) "
        f"WHEN {first} THEN {before} "
        f"WHEN {last} THEN {after} ELSE {_end_of_gap(column.zone, local, before, after)} END"
    )
    return f"make_timestamp({instant})"


def _end_of_gap(zone: str, local: str, before: str, after: str) -> str:
    """SQL: the instant of the change that skips ``local``: the first second that the later rule holds for.

    It lies behind ``after`` and not behind ``before``. A day that begins within the gap, as midnight does in some
    zones, begins it: then it is ``before``.
    """
    moment = f"{RELATION}_instant"
    rule = f"epoch_us({local}) - {after}"
    seconds = f"range({after} + 1000000, {before} + 1, 1000000)"
    first = f"list_filter({seconds}, lambda {moment}: epoch_us({wall(zone, moment)}) - {moment} = {rule})[1]"
    return f"CASE WHEN epoch_us({wall(zone, f'{before} - 1')}) - ({before} - 1) = {rule} THEN {first} ELSE {before} END"
