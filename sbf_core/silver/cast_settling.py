"""From local times and instants to the value of a column:
zones, days, and what is out of range or finer than the type.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sbf_core.silver.cast_steps import Field, FieldCast
from sbf_core.silver.cast_zones import candidates, day_in_years, in_nanoseconds, in_years, is_shown, settled, wall
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Settling(Value):
    """From ``local`` and ``instant`` to the value: zones, days, and what is out of range or finer than the type.

    Attributes:
        rest: the nanoseconds behind the microseconds; empty where there are none.
        given: whether there is a value.
        kinds: WHEN ... THEN ... of faults that go before those of zones.
    """

    field: Field
    steps: tuple[Mapping[str, str], ...]
    rest: str
    given: str
    kinds: tuple[str, ...]

    def cast(self) -> FieldCast:
        """The cast of the field."""
        return self._day() if self.field.column.type == "DATE" else self._moment()

    def _moment(self) -> FieldCast:
        field, column, local, moment = self.field, self.field.column, self.field.ref("local"), self.field.ref("moment")
        steps, kinds = list(self.steps), list(self.kinds)
        if column.zone == "UTC":
            steps.append({"moment": f"coalesce({field.ref('instant')}, {local})"})
        elif column.zone:
            before, after = field.ref("before"), field.ref("after")
            steps.append(dict(zip(("before", "after"), candidates(column.zone, local), strict=True)))
            steps.append(
                {
                    "moment": (
                        f"coalesce({field.ref('instant')}, "
                        f"make_timestamp({settled(column.zone, column.fold, local, before, after)}))"
                    )
                }
            )
            shown = f"{is_shown(column.zone, before, local)}", f"{is_shown(column.zone, after, local)}"
            kinds.append(
                f"WHEN {moment} IS NULL AND {before} <> {after} THEN CASE WHEN {shown[0]} AND {shown[1]} "
                "THEN 'repeated_hour' ELSE 'skipped_hour' END"
            )
        else:
            steps.append({"moment": field.ref("instant")})
            kinds.append(f"WHEN {local} IS NOT NULL THEN 'no_zone'")
        value = in_years(moment)
        if column.type == "TIMESTAMP_NS":
            value = in_nanoseconds(f"(CAST(epoch_us({moment}) AS HUGEINT) * 1000 + {self.rest or '0'})")
        return self._made(steps, value, [*kinds, f"WHEN {moment} IS NOT NULL THEN 'out_of_range'"])

    def _day(self) -> FieldCast:
        """The day that the clock showed, or that of an instant in the declared zone. Without a zone only midnight is a
        day by itself.
        """
        field, column, local, instant = (
            self.field,
            self.field.column,
            self.field.ref("local"),
            self.field.ref("instant"),
        )
        there = (
            f"CASE WHEN {instant} IS NOT NULL THEN CAST({wall(column.zone or 'UTC', f'epoch_us({instant})')} AS DATE) "
            f"ELSE CAST({local} AS DATE) END"
        )
        kinds = list(self.kinds)
        if not column.zone and not column.date_format:
            is_day = f"coalesce({local}, {instant}) = date_trunc('day', coalesce({local}, {instant}))"
            if field.type == "TIMESTAMP WITH TIME ZONE":
                is_day = "false"
            there = f"CASE WHEN {is_day} THEN {there} END"
            kinds.append(f"WHEN NOT ({is_day}) THEN 'no_zone'")
        steps = [*self.steps, {"day": there}]
        return self._made(
            steps, day_in_years(field.ref("day")), [*kinds, f"WHEN {field.ref('day')} IS NOT NULL THEN 'out_of_range'"]
        )

    def _made(self, steps: list[Mapping[str, str]], value: str, kinds: list[str]) -> FieldCast:
        kind = f"CASE {' '.join(kinds)} ELSE 'unparsable' END"
        return FieldCast(
            column=self.field.column, steps=steps, value=value, given=self.given, kind=kind, raw=self.field.text
        )
