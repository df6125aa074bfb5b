"""The conformance kit: every check of a plugin, what each promises, and how they are run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from sbf_core.errors import SbfError, UsageError, nearest
from sbf_core.testing import (
    check_changes,
    check_charts,
    check_declaration,
    check_fetch,
    check_gold,
    check_purity,
    check_revision,
    check_rows,
    check_silver,
)
from sbf_core.testing.outcome import EXEMPT, FAILED, PASSED, Check, Outcome, Problem
from sbf_core.testing.subject import Subject

#: The name under which a plugin's module says what it is exempt from: ``{"check": "reason"}``, or
#: ``{"check:DATASET": "reason"}`` with ``*``.
EXEMPTIONS = "CONFORMANCE_EXEMPT"

CHECKS = (
    Check("declaration", "it loads, and what it declares can be fetched and read", check_declaration.declaration),
    Check("hooks", "its hooks are marked, and answer what they should", check_declaration.hooks),
    Check("nothing_is_unsure", "no line is marked as unsure", check_declaration.nothing_is_unsure),
    Check("docs", "title, terms, source, units and a README are there", check_declaration.docs),
    Check("recorded", "the recording holds something of every dataset", check_fetch.recorded),
    Check("fetch_is_deterministic", "the same request gives the same answers", check_fetch.fetch_is_deterministic),
    Check("fetch_goes_through_http", "it asks by http and by nothing else", check_fetch.fetch_goes_through_http),
    Check("bytes_are_unchanged", "payloads reach Bronze byte for byte", check_fetch.bytes_are_unchanged),
    Check("errors_are_passed_on", "an error of the vendor is never answered as data", check_fetch.errors_are_passed_on),
    Check("secrets_stay_secret", "keys are declared, and go nowhere else", check_fetch.secrets_stay_secret),
    Check("rows_are_asked_for", "for_each gives the rows that were recorded", check_rows.rows_are_asked_for),
    Check("columns_are_filled", "every declared column gets values", check_silver.columns_are_filled),
    Check("rows_are_taken", "no recorded row is rejected", check_silver.rows_are_taken),
    Check("keys_are_unique", "no two rows of a payload share a key", check_silver.keys_are_unique),
    Check("promote_twice", "the same payloads give the same silver again", check_silver.promote_twice),
    Check(
        "read_without_the_engine",
        "read record by record, payloads give the same silver",
        check_silver.read_without_the_engine,
    ),
    Check("promote_in_any_order", "payloads in another order give the same silver", check_silver.promote_in_any_order),
    Check("promote_is_pure", "hooks and SQL look at no clock, dice, network or file", check_purity.promote_is_pure),
    Check("refetch_is_a_noop", "the same bytes a day later change nothing", check_revision.refetch_is_a_noop),
    Check(
        "revision_is_kept",
        "a corrected value is kept beside the old one, and as-of gives both",
        check_revision.revision_is_kept,
    ),
    Check(
        "errors_are_no_data",
        "notes, pages, texts and cut payloads never become rows",
        check_revision.errors_are_no_data,
    ),
    Check("rebuild_is_equal", "rebuilt from Bronze, silver is the same", check_silver.rebuild_is_equal),
    Check("column_is_added", "a column that is added later has its values", check_changes.column_is_added),
    Check("column_is_renamed", "a column that is renamed keeps its values", check_changes.column_is_renamed),
    Check(
        "key_is_narrowed",
        "a shorter key gives the table that it would always have given, or is held",
        check_changes.key_is_narrowed,
    ),
    Check(
        "key_is_widened",
        "a longer key gives the table that it would always have given, or is held",
        check_changes.key_is_widened,
    ),
    Check(
        "promote_version_is_raised",
        "a promote whose code has changed says whether it reads otherwise",
        check_changes.promote_version_is_raised,
    ),
    Check("gold_builds", "gold models are built, have rows, and pass their tests", check_gold.gold_builds),
    Check("gold_is_stable", "gold models give the same rows again", check_gold.gold_is_stable),
    Check(
        "engines_agree",
        "gold models give the same values on all DuckDB that are supported",
        check_gold.engines_agree,
    ),
    Check("charts_draw", "charts read columns that are there, and can be drawn", check_charts.charts_draw),
)
#: What the others need: without it they have nothing to say.
_FIRST = ("declaration",)


def exemptions_of(subject: Subject, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a plugin is exempt from, with the reasons: those that its module names, and others.

    Raises:
        UsageError: one names no check, or has no reason.
    """
    exemptions = (
        {**getattr(subject.module, EXEMPTIONS, {}), **(more or {})} if subject.record.loaded else dict(more or {})
    )
    names = [check.name for check in CHECKS]
    for pattern, reason in exemptions.items():
        name = pattern.partition(":")[0]
        if name not in names:
            fix = nearest(name, names) or "checks are " + ", ".join(names)
            raise UsageError(
                f"there is no check {name!r}", where=f"{EXEMPTIONS} of {subject.name}", fix=fix, code="EXEMPTION"
            )
        if not str(reason).strip():
            raise UsageError(
                f"the exemption from {pattern!r} has no reason",
                where=f"{EXEMPTIONS} of {subject.name}",
                fix="say why",
                code="EXEMPTION",
            )
    return exemptions


def checked(subject: Subject, check: Check, exempt: Mapping[str, str]) -> Outcome:
    """Run one check. An exemption that nothing needs is a problem: it would hide the next one."""
    ours = {pattern: reason for pattern, reason in exempt.items() if pattern.partition(":")[0] == check.name}
    all_problems: list[Problem] = []
    notes: list[str] = []
    try:
        for item in check.look(subject):
            all_problems.append(item) if isinstance(item, Problem) else notes.append(item.text)
    except SbfError as error:
        all_problems.append(Problem(str(error)))
    used: set[str] = set()
    left = []
    for problem in all_problems:
        pattern = next((pattern for pattern in ours if _covers(pattern, problem)), None)
        used.add(pattern) if pattern is not None else left.append(problem)
    left += [
        Problem(f"it is exempt from {pattern!r} ({ours[pattern]}), and needs it no more: take it out")
        for pattern in ours
        if pattern not in used
    ]
    if left:
        return Outcome(check=check, state=FAILED, problems=tuple(left), notes=tuple(notes))
    reasons = tuple(f"{pattern}: {ours[pattern]}" for pattern in ours)
    return Outcome(
        check=check, state=EXEMPT if used else PASSED, problems=tuple(all_problems), notes=(*notes, *reasons)
    )


def _covers(pattern: str, problem: Problem) -> bool:
    _, _, dataset = pattern.partition(":")
    return not dataset or fnmatchcase(problem.dataset, dataset)


def check_all(subject: Subject, more: Mapping[str, str] | None = None) -> Iterator[Outcome]:
    """Run every check, one after the other; where the declaration is not sound, only those that need no warehouse."""
    exempt = exemptions_of(subject, more)
    for check in CHECKS:
        outcome = checked(subject, check, exempt)
        yield outcome
        if check.name in _FIRST and outcome.state == FAILED and not subject.record.loaded:
            return
