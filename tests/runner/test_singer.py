"""Singer taps as sources: run with limits, their messages kept as they came, their state the cursor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import Declared, Warehouse, counts_add_up

from sbf_core.api import DataRules, DatasetKeymapEntry, FileRecipe, Singer, SingerRecipe, UsageError, column
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext
from sbf_core.testing.kit import check_all
from sbf_core.testing.outcome import FAILED
from sbf_core.testing.subject import Subject

TAP = Path(__file__).with_name("tap_of_tests.py")


@attrs.frozen
class User:
    """One user."""

    id: int = column(key=True)
    name: str = column(source="@.profile.name")
    balance: Decimal = column(precision=30, scale=10)
    seen: str = column(source="$.time_extracted")


ROWS = (
    '{"id": 1, "profile": {"name": "Zoë"}, "balance": 12345678901234567890.0123456789}',
    '{"id": 2, "profile": {"name": "Bo"}, "balance": 0.10}',
)
KEPT = [
    (1, "Zoë", Decimal("12345678901234567890.0123456789"), "2024-01-01T00:00:00Z"),
    (2, "Bo", Decimal("0.1"), "2024-01-01T00:00:00Z"),
]


class Tap:
    """A home with a tap, whose rows lie in a file."""

    def __init__(
        self, home: Path, *, columns: Any = User, config: Any = None, entry: Any = None, **recipe: Any
    ) -> None:
        self.rows_file = home.with_name("rows.jsonl")
        self.write(*ROWS)
        usual: dict[str, Any] = {"command": (sys.executable, str(TAP)), "stream": "users"}
        self.entry = DatasetKeymapEntry(
            domain="crm", source="tap", dataset="users", silver_table="app_user",
            title="Users", terms="our own", source_url="https://example.com/",
            recipe=SingerRecipe(**{**usual, "config": {"rows": str(self.rows_file), **(config or {})}, **recipe}),
            **{
                "columns": columns, "is_data": DataRules(may_be_empty=True), "refresh_after_hours": 0.1,
                **(entry or {}),
            },
        )  # fmt: skip
        self.warehouse = Warehouse(home, Declared(self.entry))

    def write(self, *rows: str) -> None:
        self.rows_file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

    def run(self, hours: float = 1) -> RunContext:
        return self.warehouse.run(hours_later=hours)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        names = "_bronze_file_id, _run_id, known_from, recorded_at"
        return self.warehouse.ask(f"SELECT * EXCLUDE ({names}) FROM silver.app_user ORDER BY ALL")

    def payload(self, number: int = -1) -> Path:
        return self.warehouse.home / "bronze" / self.warehouse.bronze_files()[number]


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def test_what_a_tap_says_is_kept_and_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "home")
    context = tap.run()
    assert is_fine(context), context.errors
    assert tap.rows == KEPT
    lines = tap.payload().read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["SCHEMA", "RECORD", "RECORD", "STATE"]
    tap.write(*ROWS, '{"id": 3, "profile": {"name": "C"}, "balance": 1}')
    context = tap.run(2)
    assert (context.rows_inserted, context.rows_unchanged) == (1, 0), "only what is new"
    told = tap.warehouse.ask("SELECT address FROM ops.bronze_manifest ORDER BY fetched_at")
    config = json.dumps({"rows": str(tap.rows_file)}, separators=(",", ":"))
    assert [row[0] for row in told] == [
        f"TAP {sys.executable} {TAP} users {config}", f"TAP {sys.executable} {TAP} users {config} " + '{"last":2}',
    ]  # fmt: skip
    assert tap.run(3).rows_seen == 0, "nothing is new"
    counts_add_up(tap.warehouse)
    before = tap.rows
    rebuild(tap.warehouse.opened())
    assert tap.rows == before
    assert Verification(tap.warehouse.opened()).run().findings == []
    tap.write(*ROWS, '{"id": 4, "profile": {"name": "D"}, "balance": 1}')
    assert tap.run(4).rows_inserted == 1, "a rebuild knows where it stopped"


def test_a_recording_answers_without_the_tap(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "home")
    tap.run()
    tap.rows_file.unlink()
    again = Warehouse(tmp_path / "again", Declared(tap.entry))
    assert is_fine(again.run(options=RunOptions(replay=str(tap.warehouse.home))))
    subject = Subject("tap", tmp_path / "work", plugin=Declared(tap.entry), recording=tap.warehouse.home / "bronze")
    told = {outcome.check.name: outcome.text for outcome in check_all(subject) if outcome.state == FAILED}
    assert set(told) <= {"docs", "declaration"}, told
    assert f"the path {sys.executable!r} is of one machine" in told["declaration"]


def test_all_of_it_comes_each_time_where_that_is_wished(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "home", goes_on=False, entry={"semantics": "snapshot"})
    tap.run()
    tap.write(ROWS[1])
    assert is_fine(tap.run(2))
    assert tap.rows == KEPT[1:]


@attrs.frozen
class Owned:
    """A user of one office."""

    office: str = column(key=True, source="request.ticker")
    id: int = column(key=True)


def test_a_tap_for_each_ticker_goes_on_for_each_where_it_stopped(tmp_path: Path) -> None:
    entry = {"scope": "per_ticker", "members": ("north", "so}uth")}
    config = {"rows": str(tmp_path / "{ticker}.jsonl"), "pages": [{"of": "{ticker}{"}]}
    files = {name: tmp_path / f"{name}.jsonl" for name in ("north", "so}uth")}
    tap = Tap(tmp_path / "home", columns=Owned, entry=entry, config=config)
    files["north"].write_text(ROWS[0] + "\n")
    files["so}uth"].write_text("\n".join(ROWS))
    assert is_fine(tap.run())
    assert tap.rows == [("north", 1), ("so}uth", 1), ("so}uth", 2)]
    states = "SELECT ticker, cursor FROM ops.cursors ORDER BY ticker"
    assert tap.warehouse.ask(states) == [("north", '{"last":1}'), ("so}uth", '{"last":2}')]
    files["north"].write_text("\n".join(ROWS))
    files["so}uth"].unlink()
    context = tap.run(2)
    assert (context.rows_inserted, len(context.failures)) == (1, 1), "one that fails costs itself"
    assert tap.warehouse.ask(states) == [("north", '{"last":2}'), ("so}uth", '{"last":2}')]
    before = tap.rows
    rebuild(tap.warehouse.opened())
    assert (tap.rows, tap.warehouse.ask(states)[0]) == (before, ("north", '{"last":2}'))
    again = Warehouse(tmp_path / "again", Declared(tap.entry))
    assert is_fine(again.run(options=RunOptions(replay=str(tap.warehouse.home))))
    assert again.ask("SELECT count(*) FROM silver.app_user") == [(4,)]


@pytest.mark.parametrize(
    ("then", "kind", "told"),
    [
        ("fail", FailureKind.PROGRAM, "the tap ended with code 3: cannot log in with "),
        ("hang", FailureKind.DEADLINE, "the tap did not end within 2 s"),
        ("large", FailureKind.TOO_LARGE, "the tap wrote more than 1 MiB"),
        ("memory", FailureKind.PROGRAM, "MemoryError"),
        ("chat", FailureKind.NOT_DATA, "is no message of a Singer tap in line 1: 'Hello, I am a tap.'"),
    ],
)
def test_a_tap_that_goes_wrong_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, kind: FailureKind, told: str
) -> None:
    monkeypatch.setenv("TAP_TOKEN", "a-token-of-the-tests")
    tap = Tap(tmp_path / "home", config={"then": then}, secrets={"token": "TAP_TOKEN"},
              deadline_seconds=2 if then == "hang" else 60, mebibytes_max=1)  # fmt: skip
    (failure,) = tap.run().failures
    assert (failure.kind, told in failure.what) == (kind, True), failure.what
    assert "a-token-of-the-tests" not in failure.what
    assert not tap.warehouse.bronze_files()


def test_what_a_tap_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "home", config={"then": "leave"}, deadline_seconds=60)
    began = time.monotonic()
    assert is_fine(tap.run())
    assert time.monotonic() - began < 30, "it is not waited for"
    assert tap.rows == KEPT
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in found


def test_its_keys_stay_out_of_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_TOKEN", "a-token-of-the-tests")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    tap = Tap(tmp_path / "home", secrets={"token": "TAP_TOKEN"})
    assert is_fine(tap.run())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"a-token-of-the-tests" in path.read_bytes()]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="elsewhere it lies in a private folder meanwhile")
def test_its_configuration_is_on_no_disk(tmp_path: Path) -> None:
    (failure,) = Tap(tmp_path / "home", config={"then": "where"}).run().failures
    assert "the configuration is /memfd:config.json (deleted)" in failure.what


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"stream": "groups"}, "the tap has no stream 'groups'; it has logs, users"),
        ({"command": ("tap-that-is-not-there",)}, "there is no program tap-that-is-not-there"),
        ({"discover": False}, "ended with code 1"),
    ],
)
def test_what_is_not_there_is_told_of(tmp_path: Path, recipe: dict[str, Any], told: str) -> None:
    (failure,) = Tap(tmp_path / "home", **recipe).run().failures
    assert told in failure.what and failure.kind == FailureKind.PROGRAM


def test_no_record_is_a_failure_where_there_must_be_some(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "home", goes_on=False, entry={"is_data": DataRules()})
    tap.write()
    (failure,) = tap.run().failures
    assert failure.kind == FailureKind.EMPTY


def test_messages_that_lie_in_a_file_are_a_format(tmp_path: Path) -> None:
    @attrs.frozen
    class Plain:
        id: int = column(key=True)
        name: str | None = column()

    entry = DatasetKeymapEntry(
        domain="crm", source="tap", dataset="users", silver_table="app_user", columns=Plain, reject_share_max=1,
        recipe=FileRecipe(path="users.jsonl", extension="jsonl"), format=Singer(), refresh_after_hours=0.1,
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    file = tmp_path / "home" / "files" / "users.jsonl"
    file.parent.mkdir(parents=True)
    lines = (
        '{"type":"RECORD","stream":"a","record":{"id":1,"name":"x"}}', "", '{"type":"RECORD","stream":"a","record":7}',
        '{"type":"RECORD","stream":"a","record":{"id":2,"name":null}}', '{"type":"STATE","value":null}',
    )  # fmt: skip
    file.write_text("\n".join(lines))
    context = warehouse.run(hours_later=1)
    assert (context.rows_inserted, context.rows_rejected) == (2, 1)
    file.write_text("\n".join(lines).replace('"a","record":{"id":2', '"b","record":{"id":2'))
    (failure,) = warehouse.run(hours_later=2).failures
    assert "holds records of several streams: 'a', 'b'" in failure.what


def installed(place: Path, package: str) -> Path:
    """The programs of a package in an environment of its own; skips where it cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    done = subprocess.run([place / "bin" / "pip", "install", "-q", package], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{package} cannot be installed here: {done.stderr.splitlines()[-1]}")
    return place / "bin"


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"command": ()}, "the tap has no command, or no stream"),
        ({"stream": ""}, "the tap has no command, or no stream"),
        ({"config": {"a": 1}, "secrets": {"a": "B"}}, "'a' is in config and a secret"),
        ({"config": {"a": float("nan")}}, "config is no JSON"),
        ({"config": {"a": object()}}, "config is no JSON"),
        ({"discover": False, "replication_key": "id"}, "replication_key stands in the catalog"),
        ({"deadline_seconds": 0}, "must be above zero"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_declared(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        SingerRecipe(**{"command": ("tap-x",), "stream": "a", **recipe})
    assert told in str(error.value)


def test_a_tap_says_the_same_in_toml() -> None:
    declared_so = {
        "domain": "crm", "source": "shop", "dataset": "clients", "silver_table": "client",
        "columns": [{"name": "id", "type": "BIGINT", "key": True}], "is_data": {"may_be_empty": True},
        "recipe": {"command": ["tap-x", "--quiet"], "stream": "users", "config": {"depth": 3, "all": True}},
    }  # fmt: skip
    recipe = entry_from_mapping(declared_so, where="here").recipe
    assert recipe == SingerRecipe(command=("tap-x", "--quiet"), stream="users", config={"depth": 3, "all": True})


@pytest.mark.slow
def test_a_tap_of_the_registry_is_a_dataset(tmp_path: Path) -> None:
    """``tap-jsonl`` (Apache-2.0, of the Meltano SDK), in an environment of its own."""
    program = installed(tmp_path / "env", "tap-jsonl==0.3.1") / "tap-jsonl"

    @attrs.frozen
    class Plain:
        id: int = column(key=True)
        price: Decimal = column(precision=30, scale=10)

    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": 1, "price": 1.10}\n{"id": 2, "price": 0.1}\n')
    recipe = SingerRecipe(command=(str(program),), stream="jsonl", config={"path": str(rows), "primary_keys": ["id"]})
    entry = DatasetKeymapEntry(
        domain="crm", source="tap", dataset="rows", silver_table="app_user", columns=Plain, recipe=recipe,
        is_data=DataRules(may_be_empty=True), refresh_after_hours=0.1,
    )  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", Declared(entry))
    context = warehouse.run(hours_later=1)
    assert is_fine(context), context.errors
    found = warehouse.ask("SELECT id, price FROM silver.app_user ORDER BY id")
    assert found == [(1, Decimal("1.1")), (2, Decimal("0.1"))]
    lines = (warehouse.home / "bronze" / warehouse.bronze_files()[-1]).read_text().splitlines()
    assert {"SCHEMA", "RECORD", "STATE"} <= {json.loads(line)["type"] for line in lines}
    rows.write_text('{"id": 1, "price": 1.10}\n{"id": 2, "price": 0.2}\n')
    assert warehouse.run(hours_later=2).rows_updated == 1
    before = warehouse.ask("SELECT id, price, known_from FROM silver.app_user_as_of(TIMESTAMP '2024-01-02 13:30:00')")
    rebuild(warehouse.opened())
    after = warehouse.ask("SELECT id, price, known_from FROM silver.app_user_as_of(TIMESTAMP '2024-01-02 13:30:00')")
    assert (after, len(after)) == (before, 2)
