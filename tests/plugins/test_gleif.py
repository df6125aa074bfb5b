"""A record of GLEIF as it was in 2024, of a fund whose registration lapsed ten years before."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from recorded import NOW, Recording, later

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.gleif import plugin as gleif

LEI = "549300LBI3LRIZ2V8V66"
RECORD = "gleif-r2-001"
OPTIONS = f'[options.gleif]\nleis = ["{LEI}"]\n'


def recorded(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("reference/gleif/lei_records", later(RECORD), ticker=LEI)
    return recording.folder


test_conformance = conformance(
    "gleif",
    recording=recorded,
    options={"leis": [LEI]},
    exempt={"columns_are_filled": "one record, of an entity that neither ended nor was taken over"},
)


def test_the_record(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("reference/gleif/lei_records", later(RECORD), ticker=LEI)
    assert recording.run(plugins=("gleif",)).errors == []
    assert recording.ask(
        "SELECT lei, legal_name, jurisdiction, category, legal_form, legal_form_other, status, registration_status, "
        "registered, updated, next_renewal, known_from, legal_city, legal_postal_code, created, managing_lou, "
        "corroboration, conformity FROM silver.gleif_lei_record"
    ) == [(
        LEI, "UK EQUITY FUND (OFFSHORE)", "IE", "FUND", "8888", "FUND", "ACTIVE", "LAPSED",
        dt.datetime(2013, 11, 5, 3, 3), dt.datetime(2023, 7, 31, 17, 11, 36), dt.datetime(2014, 11, 1, 10, 44),
        dt.datetime(2023, 7, 31, 17, 11, 36), "DUBLIN", "D01 W213", None, "213800WAVVOPS85N2205",
        "ENTITY_SUPPLIED_ONLY", "NON_CONFORMING",
    )]  # fmt: skip
    assert recording.ask("SELECT count(*) FROM silver.gleif_lei_record_as_of(TIMESTAMP '2023-07-31 17:11:35')") == [
        (0,)
    ]


def test_a_golden_copy_of_another_day_is_no_revision(tmp_path: Path) -> None:
    document = json.loads(later(RECORD))
    document["meta"]["goldenCopy"]["publishDate"] = "2024-07-07T08:00:00Z"
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("reference/gleif/lei_records", later(RECORD), ticker=LEI)
    next_day = NOW + dt.timedelta(hours=1)
    recording.add("reference/gleif/lei_records", json.dumps(document).encode(), ticker=LEI, moment=next_day)
    context = recording.run(plugins=("gleif",))
    assert (context.errors, context.rows_inserted, context.rows_unchanged) == ([], 1, 1)


def test_an_error_of_json_api_is_no_record(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    note = {"errors": [{"status": "500", "title": "Server error"}]}
    recording.add("reference/gleif/lei_records", json.dumps(note).encode(), ticker=LEI)
    assert recording.run(plugins=("gleif",)).errors != []
    assert recording.ask("SELECT count(*) FROM silver.gleif_lei_record") == [(0,)]


@pytest.mark.parametrize(
    "text", ["549300LBI3LRIZ2V8V67", "549300lbi3lriz2v8v66", "549300LBI3LRIZ2V8V6", "IE00B4L5Y983", "\u0661" * 20]
)
def test_what_is_no_lei_is_refused(text: str) -> None:
    assert [entry.members for entry in gleif.datasets({"leis": [LEI]})] == [(LEI,)]
    assert [entry.members for entry in gleif.datasets({})] == [gleif.USUAL]
    assert gleif.datasets({"leis": []}) == []
    with pytest.raises(UsageError, match="is no LEI"):
        gleif.datasets({"leis": [text]})
