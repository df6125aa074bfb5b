"""The records of JSON payloads: the shapes that can be declared, on real payloads,
and what is wrong with rows and payloads.
"""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import attrs
import pytest
from payload.json_ways import READER, looked, payload_file, reading, recorded, records, values

from sbf_core.dataset.columns import Column
from sbf_core.errors import PayloadRefused
from sbf_core.payload import json_window
from sbf_core.payload.json_walk import walk

# ---- shapes, on real payloads ----


def test_fields_within_nested_objects(tmp_path: Path) -> None:
    wanted = reading(
        "@.fields.date_heure", "@.fields.ech_physiques", "recordid", "@.fields.destockage_batterie", rows_at="records"
    )
    assert values(wanted, tmp_path, recorded("rte-r2-001"))[0] == (
        "2023-09-21T02:45:00+02:00",
        "-11204",
        "0e195ef8ffa25fccd32f6b9017f9008b0623dd29",
        "2",
    )


def test_fields_beside_the_rows(tmp_path: Path) -> None:
    wanted = reading("date", "close", "$.timestamp", rows_at="data")
    found = values(wanted, tmp_path, recorded("cboe-0097"))
    assert found[0] == ("2004-01-02", "0.38", "11:00:17")
    assert len(found) == len(json.loads(recorded("cboe-0097"))["data"])


def test_an_object_keyed_by_name(tmp_path: Path) -> None:
    wanted = reading("@~", "indexPrice", "baseAsset", rows_at="$.markets.*")
    assert values(wanted, tmp_path, recorded("dydx-r2-001"))[0] == ("BTC-USD", "61131.0300", "BTC")
    tickers = reading("@~", "ticker", "cik_str", rows_at="$[*]")
    assert values(tickers, tmp_path, recorded("sec-0156"))[:2] == [("0", "MSFT", "789019"), ("1", "AAPL", "320193")]


def test_what_is_no_row_among_rows_is_rejected(tmp_path: Path) -> None:
    found = records(reading("@~", "closing_price", rows_at="$.data.*"), tmp_path, recorded("bithumb-r2-001"))
    faulty = [record for record in found if record.fault]
    assert [(record.place, record.fault) for record in faulty] == [("$.data.date", "no_row")]
    assert faulty[0].raw.isdigit()
    assert found[0].values == ["ETH", "0.07182213"]


def test_rows_as_arrays_by_position(tmp_path: Path) -> None:
    wanted = reading("@[0]", "@[4]", "@[6]", "@[7]", "@^~", rows_at="$.result.*[*]")
    found = values(wanted, tmp_path, recorded("kraken-r2-001"))
    assert found[0] == ("1502402520", "3449.999", "1.01200000", "7", "XXBTZUSD")
    assert len(found) == 720
    newest = values(reading("@[0]", "@[5]"), tmp_path, recorded("coinbase-r2-001"))
    assert newest[1] == ("1517443680", "4.727521520000001")


def test_parallel_arrays(tmp_path: Path) -> None:
    close, adjusted = (
        "$.chart.result[0].indicators.quote[0].close[#]",
        "$.chart.result[0].indicators.adjclose[0].adjclose[#]",
    )
    wanted = reading("@", close, adjusted, "$.chart.result[0].meta.symbol", rows_at="$.chart.result[0].timestamp[*]")
    assert values(wanted, tmp_path, recorded("yahoo-0158")) == [
        ("1577975400", "75.0875015258789", "72.71607208251953", "AAPL")
    ]
    rates = reading("@", "@^.VALUES.VALUES[#]", "@^.SERIES_CODE", rows_at="$.RESULTSET[*].VALUES.SURVEY_DATES[*]")
    found = values(rates, tmp_path, recorded("cb-boj-r2-001"))
    assert found[0] == ("20250101", None, "FXERD01")
    assert found[6] == ("20250107", "157.74", "FXERD01")
    assert len(found) == 31


def test_parallel_arrays_of_different_length_are_refused(tmp_path: Path) -> None:
    wanted = reading("@", "$.v[#]", rows_at="$.t[*]")
    with pytest.raises(PayloadRefused, match=r"parallel arrays of different length: 2 values at '\$.v\[#\]', 3 rows"):
        records(wanted, tmp_path, '{"t":[1,2,3],"v":[1,2]}')
    with pytest.raises(PayloadRefused, match="is no list but the number 5"):
        records(wanted, tmp_path, '{"t":[1,2,3],"v":5}')


def test_an_object_of_arrays_under_a_list_of_keys(tmp_path: Path) -> None:
    wanted = reading("@", "$.form[#]", "$.filingDate[#]", rows_at="$.accessionNumber[*]")
    document = json.loads(recorded("sec-0144"))
    found = values(wanted, tmp_path, recorded("sec-0144"))
    assert found == list(zip(document["accessionNumber"], document["form"], document["filingDate"], strict=True))


def test_lists_within_rows_are_rows_with_their_parents(tmp_path: Path) -> None:
    wanted = reading("accn", "val", "@^~", "@^^~", "@^^^~", "@^^.label", "$.cik", rows_at="$.facts.*.*.units.*[*]")
    found = values(wanted, tmp_path, recorded("sec-0152"))
    facts = json.loads(recorded("sec-0152"))["facts"]
    assert len(found) == sum(
        len(rows) for tags in facts.values() for tag in tags.values() for rows in tag["units"].values()
    )
    tag = facts["dei"]["EntityCommonStockSharesOutstanding"]
    first = tag["units"]["shares"][0]
    assert found[0] == (
        first["accn"],
        str(first["val"]),
        "shares",
        "EntityCommonStockSharesOutstanding",
        "dei",
        tag["label"],
        "1835632",
    )


def test_a_list_behind_its_meta_object(tmp_path: Path) -> None:
    wanted = reading("@.country.id", "date", "value", "$[0].total", rows_at="$[1][*]")
    assert values(wanted, tmp_path, recorded("worldbank-r2-001"))[0] == ("AR", "2012", "41086927", "8")


TABLE = '{"fields":["cik","name","ticker"],"data":[[320193,"Apple Inc.","AAPL"],[789019,"Microsoft",null]]}'


def test_rows_under_a_header(tmp_path: Path) -> None:
    wanted = reading("@[$.fields:'ticker']", "@[$.fields:'cik']", rows_at="$.data[*]")
    assert values(wanted, tmp_path, TABLE) == [("AAPL", "320193"), (None, "789019")]
    named = '{"table":{"columns":[{"name":"a"},{"name":"b"}],"data":[[1,2.50]]}}'
    assert values(reading("@[$.table.columns[*].name:'b']", rows_at="$.table.data[*]"), tmp_path, named) == [("2.50",)]


def test_rows_that_do_not_fit_their_header_are_rejected(tmp_path: Path) -> None:
    found = records(
        reading("@[$.fields:'ticker']", rows_at="$.data[*]"), tmp_path, TABLE.replace("null]", "null,5],[1]")
    )
    assert [record.fault for record in found] == ["", "ragged:c0", "ragged:c0"]
    with pytest.raises(PayloadRefused, match="holds the name 'cik' twice"):
        records(reading("@[$.fields:'cik']", rows_at="$.data[*]"), tmp_path, TABLE.replace('"name"', '"cik"'))
    with pytest.raises(PayloadRefused, match="none of its 2 rows has"):
        records(reading("@[$.fields:'isin']", rows_at="$.data[*]"), tmp_path, TABLE)


def test_one_object_is_one_row(tmp_path: Path) -> None:
    wanted = reading("symbol", "@.rate.buy", rows_at="$")
    assert values(wanted, tmp_path, '{"symbol":"EUR","rate":{"buy":1.10}}') == [("EUR", "1.10")]
    with pytest.raises(
        PayloadRefused,
        match=r"\$ is a list of 1, and the columns ask an object; "
        r"for the elements of a list declare rows_at='\$\[\*\]'",
    ):
        records(wanted, tmp_path, '[{"symbol":"EUR"}]')


def test_json_within_a_text(tmp_path: Path) -> None:
    content = json.dumps(
        [
            {"id": 1, "payload": '{"price": 1.10}'},
            {"id": 2, "payload": None},
            {"id": 3, "payload": "no"},
            {"id": 4, "payload": {"price": 1}},
        ]
    )
    found = records(reading("id", "@.payload!.price"), tmp_path, content)
    assert [(record.values, record.fault) for record in found[:2]] == [(["1", "1.10"], ""), (["2", None], "")]
    assert [record.fault for record in found[2:]] == ["no_json:c1", "no_json:c1"]
    assert values(reading("a", rows_at="$.body![*]"), tmp_path, json.dumps({"body": '[{"a":1.0}]'})) == [("1.0",)]


def test_other_names_of_a_field_are_tried_in_order(tmp_path: Path) -> None:
    column = Column(name="eps", type="VARCHAR", key=True, source="eps", also=("epsActual", "@.old.eps"))
    content = '[{"eps":1,"epsActual":2},{"epsActual":3},{"old":{"eps":4}},{"eps":null,"epsActual":5}]'
    assert values(reading(column), tmp_path, content) == [("1",), ("3",), ("4",), ("5",)]


# ---- digits and values ----


def test_texts_are_as_the_vendor_wrote_them(tmp_path: Path) -> None:
    numbers = [
        "1.10",
        "1e5",
        "-0",
        "1E400",
        "1e-400",
        "12345678901234567890123",
        "9007199254740993.0",
        "0.30000000000000004",
    ]
    assert values(reading("a"), tmp_path, "[" + ",".join(f'{{"a":{number}}}' for number in numbers) + "]") == [
        (number,) for number in numbers
    ]
    content = (
        '[{"a":true,"b":"x\\u00e9\\ny"},{"a":false,"b":null},'
        '{"a":{"x":1.10,"y":[1, 2.50,null,true,"\\u00e9\\""]},"b":[]}]'
    )
    assert values(reading("a", "b"), tmp_path, content) == [
        ("true", "xé\ny"),
        ("false", None),
        ('{"x":1.10,"y":[1,2.50,null,true,"é\\""]}', "[]"),
    ]


def test_a_missing_field_and_null_are_no_value(tmp_path: Path) -> None:
    assert values(reading("a", "b"), tmp_path, '[{"a":1,"b":2},{"a":3},{"a":4,"b":null}]') == [
        ("1", "2"),
        ("3", None),
        ("4", None),
    ]


def test_a_required_field_that_no_row_has_refuses_the_payload(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="none of its 2 rows has 'eps', which the column 'c0' is made of"):
        records(reading("eps", "b"), tmp_path, '[{"epsActual":1,"b":2},{"epsActual":1,"b":2}]')
    optional = Column(name="eps", type="VARCHAR", key=True, source="eps", optional=True)
    assert values(reading(optional), tmp_path, '[{"b":1}]') == [(None,)]
    assert values(reading("eps"), tmp_path, "[]") == []


# ---- faults of a row cost that row ----


def test_faults_cost_only_their_row(tmp_path: Path) -> None:
    content = (
        '[{"a":1,"b":1},5,null,"x",[1],{"a":"\\ud800","b":2},{"a":2,"b":3,"b":4},{"a":3,"c":1,"c":2,"b":5},'
        '{"a":NaN,"b":6},{"a":{"x":NaN},"b":7},{"a":{"x":1,"x":2},"b":8},{"a":"z","b":"\\ud83d\\ude00"}]'
    )
    found = records(reading("a", "b"), tmp_path, content)
    faults = [
        "",
        "no_row",
        "no_row",
        "no_row",
        "no_row",
        "not_unicode:c0",
        "key_twice:c1",
        "",
        "no_json:c0",
        "no_json:c0",
        "key_twice:c0",
        "",
    ]
    assert [record.fault for record in found] == faults
    assert [record.place for record in found] == [f"$[{index}]" for index in range(len(found))]
    assert [record.raw for record in found[1:5]] == ["5", "null", "x", "[1]"]
    assert found[7].values == ["3", "5"]
    assert found[-1].values == ["z", "\U0001f600"]


def test_nan_is_left_to_the_cast_where_no_text_is_wanted(tmp_path: Path) -> None:
    assert values(
        reading("k", ("a", "DOUBLE")), tmp_path, '[{"k":"x","a":NaN},{"k":"y","a":-Infinity},{"k":"z","a":nan}]'
    ) == [
        ("x", "NaN"),
        ("y", "-Infinity"),
        ("z", "NaN"),
    ]


# ---- what refuses a payload ----

REFUSED = {
    "": "is empty",
    "  \n": "is empty",
    "<html><body>": "is no JSON but a page",
    "down for maintenance": "is no JSON: it starts with 'down",
    '{"a":1}': "holds no rows at '$[*]': $ is an object with the names 'a'",
    "null": "holds no rows at '$[*]': $ is null",
    "5": "holds no rows at '$[*]': $ is the number 5",
    '[{"a":1}][{"a":2}]': "has more behind its end: '[{\"a\":2}]'",
    '[{"a":1}] end': "has more behind its end: 'end'",
    '[{"a":1},{"a"': "is cut short",
    '[{"a":1},{"a":"xyz': "is cut short",
    '[{"a":1}': "is cut short",
    '[{"a":1} {"a":2}]': "is no JSON at character 10: '{\"a\":2}]'",
    '[{"a":01}]': "is no JSON at character 8",
    "[{'a':1}]": "is no JSON at character 3",
    '[{"a":"x\ty"}]': "is no JSON at character 9",
    "[" * 100_000: "is nested too deeply",
}


@pytest.mark.parametrize("content", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_list_of_rows_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        records(reading("a"), tmp_path, content)
    assert REFUSED[content] in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_with_a_line(tmp_path: Path, encoding: str) -> None:
    for ask in (looked, records):
        with pytest.raises(PayloadRefused, match="is not UTF-8 but UTF-16 or UTF-32"):
            ask(reading("a"), tmp_path, '[{"a":1}]'.encode(encoding))


def test_bytes_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="is not UTF-8: byte 8 begins no character"):
        records(reading("a"), tmp_path, b'[{"a":"\xe9"}]')
    assert values(reading("a"), tmp_path, b"\xef\xbb\xbf" + '[{"a":"é"}]'.encode()) == [("é",)]


@pytest.mark.parametrize(
    ("content", "rows_at", "word"),
    [
        ('{"data":{"items":null}}', "data.items", "$.data.items is null"),
        ('{"data":{"rows":[]}}', "data.items", "$.data is an object with the names 'rows'"),
        ('{"data":{"items":{"a":1}}}', "data.items", "$.data.items is an object with the names 'a'"),
        (
            '{"data":{"items":[{"a":1}]},"data":{"items":[{"a":2}]}}',
            "data.items",
            "the object at $ holds the name 'data' twice",
        ),
        ('{"data":[{"a":1}],"data":[{"a":2}]}', "$.data[0]", "the object at $ holds the name 'data' twice"),
        ('{"x":{"a":1},"x":{"a":2}}', "$.*", "the object at $ holds the name 'x' twice"),
        ('{"d":{"x":{"a":1},"x":{"a":2}},"e":1}', "$.*.*", "the object at $.d holds the name 'x' twice"),
        ('{"data":5}', "$.data[*]", "$.data is the number 5"),
    ],
)
def test_rows_are_where_they_were_declared_or_nowhere(tmp_path: Path, content: str, rows_at: str, word: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        records(reading("a", rows_at=rows_at), tmp_path, content)
    assert word in str(refused.value)


def test_rows_are_found_among_other_objects(tmp_path: Path) -> None:
    content = '{"other":{"data":[{"a":"z"}]},"data":{"x":1,"items":[{"a":1}],"y":[{"a":9}]},"end":0}'
    assert values(reading("a", rows_at="data.items"), tmp_path, content) == [("1",)]


def test_what_the_engine_bears_is_borne_in_both_ways(tmp_path: Path) -> None:
    assert values(reading("a", "b"), tmp_path, '[{"a":"x,}",},{"a":[1,2,],"b":"nan, inf",},]') == [
        ("x,}", None),
        ("[1,2]", "nan, inf"),
    ]
    assert values(reading("a", rows_at="r"), tmp_path, '{"r":[{"a":1},],}') == [("1",)]
    with pytest.raises(PayloadRefused, match="is no JSON"):
        records(reading("a"), tmp_path, "[,]")


# ---- windows ----


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_rows_are_the_same_however_the_bytes_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    content = (
        '{"n":-1.5e+10,"t":"é\\"]","d":{"r":[ {"a":123456789,"b":"ü\\u00fc\\\\"} ,\n'
        '{"a":-1.5E-7,"b":true},\t{"a":null,"b":{"c":[1.0,"x"]}}, {"a":NaN,"b":1,} ] , "z":[1]}, "m":0}'
    )
    whole = records(reading("a", "b", rows_at="d.r"), tmp_path, content)
    monkeypatch.setattr(json_window, "CHUNK_BYTES", chunk)
    monkeypatch.setattr(json_window.Window.more, "__defaults__", (chunk,))
    assert records(reading("a", "b", rows_at="d.r"), tmp_path, content) == whole
    assert [tuple(record.values) for record in whole[:3]] == [
        ("123456789", "üü\\"),
        ("-1.5E-7", "true"),
        (None, '{"c":[1.0,"x"]}'),
    ]
    numbers = [record.values for record in records(reading("@", rows_at="$[*]"), tmp_path, "[1234567, -1.25e10,3]")]
    assert numbers == [["1234567"], ["-1.25e10"], ["3"]]


def test_a_long_list_is_read_in_little_memory(tmp_path: Path) -> None:
    row = '{"date":"2024-01-05","close":189.25,"volume":1234567,"note":"' + "x" * 200 + '"}'
    file = payload_file(tmp_path, '{"meta":{"n":1},"data":[' + ",".join([row] * 60_000) + "]}")
    assert file.byte_count > 15_000_000
    tracemalloc.start()
    try:
        assert sum(1 for _ in READER.records(reading("date", "close", rows_at="data"), file)) == 60_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_walk_and_records_agree(tmp_path: Path) -> None:
    content = '{"a b":[{"x":{"r":[1,2]}},{"x":{"r":[3]}}]}'
    found = records(reading("@", "@^~", rows_at="$['a b'][*].x.r[*]"), tmp_path, content)
    assert [record.place for record in found] == [place for place, _ in walk(json.loads(content), "$['a b'][*].x.r[*]")]
    assert [record.values for record in found] == [["1", "0"], ["2", "0"], ["3", "1"]]
    assert attrs.astuple(found[0])[0] == "$['a b'][0].x.r[0]"


@pytest.mark.parametrize("nested", ['{"p":1,"p":2}', "[NaN]", '{"p":1}', '["\\ud800"]'])
def test_what_is_nested_is_unparsable_in_a_column_of_another_type(tmp_path: Path, nested: str) -> None:
    """The engine says no more of it, so a reject must not depend on who read it."""
    found = records(reading("k", ("n", "DATE"), ("m", "BIGINT")), tmp_path, f'[{{"k":"a","n":{nested},"m":{nested}}}]')
    assert [record.fault for record in found] == [""]
    assert all(value is not None and value[0] in "{[" for value in found[0].values[1:])
