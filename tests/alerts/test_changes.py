"""When a rule is told: once when something begins to be wrong, once when it is over."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core.alerts.changes import change_of
from sbf_core.alerts.told import Known
from sbf_core.reports.health import Fault, FaultKind
from sbf_core.settings.alert_rule import AlertRule

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LATE = Fault(kind=FaultKind.LATE, subject="fx/ecb/rates")
UNBUILT = Fault(kind=FaultKind.NOT_BUILT, subject="gold.fact_fx", since=NOON - 5 * HOUR)
UNREADABLE = Fault(kind=FaultKind.UNREADABLE, subject="warehouse")
RULE = AlertRule(name="mail", to="ALERT_MAIL")

Seen = list[tuple[list[str], list[str]]]


def nights(rule: AlertRule, *faults: tuple[Fault, ...], lost: tuple[int, ...] = ()) -> Seen:
    """What is told hour by hour; in the hours of ``lost`` the channel fails."""
    known: dict[str, Known] = {}
    seen: Seen = []
    for hour, here in enumerate(faults):
        whole = UNREADABLE not in here
        change = change_of(rule, here, known, now=NOON + hour * HOUR, is_whole=whole)
        known = dict(change.unsaid if hour in lost else change.known)
        told = ([one.key for one in change.begun], [one.line for one in change.over])
        seen.append(([], []) if hour in lost else told)
    return seen


def test_once_when_it_begins_and_once_when_it_is_over() -> None:
    seen = nights(RULE, (), (LATE,), (LATE,), (LATE, UNBUILT), (UNBUILT,), (), ())
    assert seen == [
        ([], []), (["late fx/ecb/rates"], []), ([], []), (["not_built gold.fact_fx"], []), ([], ["late fx/ecb/rates"]),
        ([], ["not_built gold.fact_fx"]), ([], []),
    ]  # fmt: skip


def test_runs_that_fail_night_by_night_are_one_fault() -> None:
    failed = [(Fault(kind=FaultKind.RUN_FAILED, subject=f"run{night}"),) for night in range(4)]
    assert [begun for begun, _ in nights(RULE, *failed)] == [["run_failed"], [], [], []]


def test_what_the_channel_did_not_take_is_told_the_next_time() -> None:
    seen = nights(RULE, (LATE,), (LATE, UNBUILT), (UNBUILT,), (UNBUILT,), (), (), lost=(0, 2, 4))
    assert seen == [
        ([], []), (["late fx/ecb/rates", "not_built gold.fact_fx"], []), ([], []), ([], ["late fx/ecb/rates"]),
        ([], []), ([], ["not_built gold.fact_fx"]),
    ]  # fmt: skip


def test_what_ends_before_it_was_told_is_never_told() -> None:
    assert nights(RULE, (LATE,), (), (), lost=(0,)) == [([], []), ([], []), ([], [])]


def test_only_what_lasts() -> None:
    rule = attrs.evolve(RULE, after_hours=2)
    assert [begun for begun, _ in nights(rule, (LATE,), (LATE,), (LATE,), (LATE,))] == [[], [], [LATE.key], []]
    assert nights(rule, (LATE,), (), (LATE,), (LATE,), ()) == [([], [])] * 5
    assert [begun for begun, _ in nights(rule, (UNBUILT,), (UNBUILT,))] == [[UNBUILT.key], []]  # it knows since when


def test_no_word_of_what_is_well_again_where_nobody_wants_it() -> None:
    rule = attrs.evolve(RULE, recovered=False)
    assert nights(rule, (LATE,), (), (LATE,)) == [([LATE.key], []), ([], []), ([LATE.key], [])]


@pytest.mark.parametrize(
    ("what", "which", "told"),
    [
        ((), (), [LATE.key, UNBUILT.key]), (("late",), (), [LATE.key]), (("not_*",), (), [UNBUILT.key]),
        ((), ("gold.*",), [UNBUILT.key]), (("late",), ("gold.*",), []), (("late", "silent"), ("fx/*",), [LATE.key]),
    ],
)  # fmt: skip
def test_a_rule_is_about_kinds_and_subjects(what: tuple[str, ...], which: tuple[str, ...], told: list[str]) -> None:
    rule = attrs.evolve(RULE, what=what, which=which)
    assert [begun for begun, _ in nights(rule, (LATE, UNBUILT))] == [told]


def test_that_nothing_can_be_read_is_told_to_all_and_ends_nothing() -> None:
    rule = attrs.evolve(RULE, what=("late",))
    assert nights(rule, (LATE,), (UNREADABLE,), (UNREADABLE,), (LATE,), ()) == [
        ([LATE.key], []), ([UNREADABLE.key], []), ([], []), ([], ["unreadable warehouse"]), ([], ["late fx/ecb/rates"]),
    ]  # fmt: skip


@given(
    history=st.lists(st.sets(st.sampled_from(["a", "b", "c"])), max_size=30),
    lost=st.sets(st.integers(0, 29)),
)
def test_who_reads_the_messages_knows_how_it_is(history: list[set[str]], lost: set[int]) -> None:
    """After each message that arrives, what was told to begin and not to be over is what is wrong."""
    faults = [tuple(Fault(kind=FaultKind.LATE, subject=name) for name in sorted(names)) for names in history]
    believed: set[str] = set()
    for hour, (begun, over) in enumerate(nights(RULE, *faults, lost=tuple(lost))):
        assert not believed & set(begun), "told twice"
        assert set(over) <= believed, "over, and never told"
        believed = (believed | set(begun)) - set(over)
        if hour not in lost:
            assert believed == {f"late {name}" for name in history[hour]}
