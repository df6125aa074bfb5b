"""What the benchmark does without measuring: words, tables, ratios against those that were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import command_line
import days
import peer_environments
import pytest
import recorded_ratios
import shapes
from catalogue import GOALS, LIMITS, SHAPES, TITLES
from command_line import parsed
from processes import Cost, measured
from readings import LIMIT, OURS, Line, Reading, Setting, lines
from report_table import table

KNOWN = {"lines": {"csv, cold": {"ratio": 2.0, "of": "cpu", "sbf": 2.0, "limit": 1.0, "day": "2026-11-30"}}}


def line(ours: list[float], limit: list[float]) -> Line:
    costs = [(OURS, Cost(cpu / 2, cpu, 100)) for cpu in ours] + [(LIMIT, Cost(cpu / 2, cpu, 50)) for cpu in limit]
    found = Line("csv", "cold")
    for who, cost in costs:
        found.costs.setdefault(who, []).append(cost)
    return found


def test_words() -> None:
    asked = parsed([])
    assert (asked.against, asked.shapes, asked.seed, asked.reps, asked.part) == (["limit"], list(SHAPES), 1, 3, 1.0)
    asked = parsed(["--against", "limit,dlt", "--shapes", "days,csv", "--quick", "--seed", "2"])
    assert (asked.against, asked.shapes, asked.seed) == (["limit", "dlt"], ["days", "csv"], 2)
    assert (asked.reps, asked.part) == (1, 0.1)
    assert parsed(["--quick", "--reps", "5"]).reps == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--against", "limit,spark"], "spark is none of limit, dlt, ducklake, arcticdb, polars"),
        (["--shapes", "xml"], "xml is none of csv, "),
        (["--record", "--against", "dlt"], "--record keeps ratios to the limit"),
    ],
)
def test_wrong_words(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(words)
    assert told in capsys.readouterr().err


def test_a_ratio_is_the_median_of_pairs() -> None:
    """Not the ratio of medians: a busy minute makes both of a pair slower."""
    assert line([2.0, 6.0, 2.2], [1.0, 3.0, 1.0]).ratio() == 2.0
    assert line([2.0, 4.0], []).ratio() is None


def test_the_table() -> None:
    found = lines(
        [
            Reading("csv", "cold", OURS, Cost(1.5, 2.0, 100, 30)),
            Reading("csv", "cold", LIMIT, Cost(1.0, 1.0, 200, 20)),
            Reading("csv", "cold", "polars", Cost(0.75, 0.5, 60)),
            Reading("nothing", "run", OURS, Cost(0.25, 0.24, 90)),
            Reading("nothing", "run", LIMIT, Cost(0.08, 0.08, 40)),
        ]
    )
    _, _, csv, nothing, *notes = table(found.values(), ["polars"]).splitlines()
    assert csv == (
        "| CSV, 2,000 x 1,250 | cold | 1.50 / 2.00 | 1.00 / 1.00 | **2.00** | 1.15 | 100 / 200 | 30 / 20 "
        "| 0.75 / 0.50, x 0.5 |"
    )
    assert "**3.00** (0.160 s above)" in nothing
    assert notes[1].startswith("- limit of csv: ")


def test_what_is_worse_than_recorded_is_told() -> None:
    assert recorded_ratios.worse(line([2.29], [1.0]), KNOWN) == ""
    told = recorded_ratios.worse(line([2.4], [1.0]), KNOWN)
    assert told.startswith("csv, cold: 2.40 times the limit's cpu seconds, recorded 2.00 on 2026-11-30: 20% more")


def test_a_few_milliseconds_more_are_not_worse() -> None:
    assert recorded_ratios.worse(line([0.240], [0.1]), KNOWN) == ""
    assert recorded_ratios.worse(line([0.242], [0.1]), KNOWN) != ""


def test_what_makes_many_files_is_judged_by_user_seconds() -> None:
    """What the file system takes for it says nothing about us."""
    costs = {OURS: [Cost(9, 9.0, user=2.0)], LIMIT: [Cost(1, 1.0, user=1.0)]}
    many = line([], [])
    many.shape, many.stage, many.costs = "many", "cold", costs
    known = {"lines": {"many, cold": {"ratio": 1.9, "of": "user", "sbf": 1.9, "limit": 1.0, "day": "2026-11-30"}}}
    assert recorded_ratios.worse(many, known) == ""
    costs[OURS][0] = Cost(9, 9.0, user=2.3)
    assert recorded_ratios.worse(many, known).startswith("many, cold: 2.30 times the limit's user seconds")


def test_a_line_that_was_never_recorded_is_not_worse() -> None:
    assert recorded_ratios.worse(line([9.0], [1.0]), {}) == ""


def test_a_record_keeps_what_was_not_measured_now(tmp_path: Path) -> None:
    file = tmp_path / "recorded.json"
    known = {"day": "2026-11-01", "lines": {"wide, cold": {"ratio": 1.5}}}
    file.write_text(json.dumps({"quick": known, "full": known}))
    recorded_ratios.keep(0.1, {"day": "2026-11-30", "machine": "two cores"}, [line([2.4], [1.0])], file)
    found = recorded_ratios.read(0.1, file)
    assert (found["machine"], sorted(found["lines"])) == ("two cores", ["csv, cold", "wide, cold"])
    assert found["lines"]["csv, cold"] == {
        "ratio": 2.4, "of": "cpu", "sbf": 2.4, "limit": 1.0, "day": "2026-11-30"
    }  # fmt: skip
    assert recorded_ratios.read(1, file) == known


def test_each_quick_line_that_is_recorded_is_known() -> None:
    found = recorded_ratios.read(0.1)
    assert {"csv, cold", "days, a day", "nothing, run"} <= set(found["lines"])
    assert {name.partition(",")[0] for name in found["lines"]} <= set(TITLES)


def test_all_that_is_told_is_about_shapes_that_are_there() -> None:
    assert set(SHAPES) <= set(TITLES) and set(LIMITS) == set(TITLES)
    assert {shape for shape, _ in GOALS} <= set(TITLES)


def test_another_seed_has_other_sizes_symbols_and_numbers() -> None:
    first, second = shapes.sized("csv"), shapes.sized("csv", seed=2)
    assert (first.payloads, first.rows_of(1)) == (2000, 1250)
    assert 1800 <= second.payloads <= 2200 and second.payloads != first.payloads
    assert len({second.rows_of(place) for place in range(9)}) > 1
    assert first.symbol(7) == "T00007" != second.symbol(7)
    assert shapes.sized("csv", part=0.1).payloads == 200
    assert days.history().symbols == 2000 and days.history(part=0.1).changed == 5000
    assert days.history().values(1) != days.history(seed=2).values(1)


def test_payloads_of_a_seed_are_the_same_each_time(tmp_path: Path) -> None:
    size = shapes.Size("csv", 2, 3, 5, seed=3)
    one, other = shapes.payloads(tmp_path / "one", size), shapes.payloads(tmp_path / "other", size)
    names = sorted(path.name for path in one.iterdir())
    assert names == [f"{size.symbol(place)}.csv" for place in range(2)]
    assert [(one / name).read_text() for name in names] == [(other / name).read_text() for name in names]


def test_a_peer_that_cannot_be_installed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peer_environments, "_install", lambda home, *_: "no such version" * ("dlt" in str(home)))
    assert list(peer_environments.installed(tmp_path, ["dlt", "polars"])) == ["polars"]
    assert capsys.readouterr().err == "dlt is left out: no such version\n"


def test_a_shape_that_fails_is_left_out_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def whole(_: Setting) -> Iterator[Reading]:
        yield Reading("csv", "cold", OURS, Cost(1, 1))

    def broken(_: Setting) -> Iterator[Reading]:
        yield Reading("wide", "cold", OURS, Cost(1, 1))
        raise SystemExit("no room left")

    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # so that it comes back
    monkeypatch.setattr(command_line, "SHAPES", {"csv": whole, "wide": broken})
    monkeypatch.setattr(command_line.compileall, "compile_dir", lambda *_, **__: True)
    assert command_line.main(["--folder", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "wide is left out: no room left" in told.err
    assert "CSV" in told.out and "JSON" not in told.out


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="/bin/sh -c echo why >&2; exit 3 failed: why"):
        measured(["/bin/sh", "-c", "echo why >&2; exit 3"], {})


def test_what_a_command_costs_is_its_own() -> None:
    """Not the memory of the process that began it."""
    large = b"x" * (64 << 20)
    cost = measured(["/bin/sh", "-c", "true"], {})
    assert 0 < cost.peak < 50 < len(large) >> 20
