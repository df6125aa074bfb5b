"""The whole daily rates of the ECB as SDMX-CSV, so often that they are five million observations, loaded by ``sbf run``
and by a bare ``read_csv`` into a typed table with the memory that sbf has:
``python sdmx_csv.py FOLDER [--rows N] [--reps N] [--action]``.

The values are those of the bundled sample (ECB, free reuse with the source named), with a variation of the series for
each time that they stand there. ``--action`` writes version 2, with an ``ACTION`` in each line, as the OECD does.
Prints seconds of wall and processor and the peak of the memory, medians, and the ratio. Run it alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

from processes import measured

SAMPLE = Path(__file__).resolve().parents[2] / "sbf_plugins" / "sample" / "bronze" / "fx" / "ecb"
PLUGIN = """
from sbf_core.api import Column, DatasetKeymapEntry, FileRecipe, SdmxCsv, hookimpl

KEY = [Column(name=name.lower(), type="VARCHAR", key=True, source=name) for name in ("FREQ", "CURRENCY", "EXR_SUFFIX")]
REST = [
    Column(name="period", type="DATE", key=True, row_date=True, source="TIME_PERIOD"),
    Column(name="value", type="DECIMAL(38,18)", nullable=True, source="OBS_VALUE", missing=(":", "NaN", "#N/A")),
    Column(name="status", type="VARCHAR", nullable=True, source="OBS_STATUS", optional=True),
    Column(name="unit", type="VARCHAR", nullable=True, source="UNIT", optional=True),
    Column(name="deleted", type="VARCHAR", nullable=True, source="ACTION", optional=True, missing=("I", "A", "M", "R")),
]


@hookimpl
def datasets():
    recipe = FileRecipe(path="rates.csv", extension="csv")
    return [DatasetKeymapEntry(domain="fx", source="bench", dataset="rates", silver_table="rates", columns=KEY + REST,
                               format=SdmxCsv(), recipe=recipe, horizon="any", semantics="snapshot")]
"""
BARE = """
import sys, duckdb
source, target = sys.argv[1:3]
types = {"FREQ": "VARCHAR", "CURRENCY": "VARCHAR", "EXR_SUFFIX": "VARCHAR", "TIME_PERIOD": "DATE",
         "OBS_VALUE": "DECIMAL(38,18)", "OBS_STATUS": "VARCHAR", "UNIT": "VARCHAR"}
header = open(source).readline().rstrip("\\n").split(",")
columns = "{" + ", ".join(f"'{name}': '{types.get(name, 'VARCHAR')}'" for name in header) + "}"
conn = duckdb.connect(target, config={"threads": 2, "memory_limit": "512MB"})
conn.execute(f"CREATE TABLE rates AS SELECT {', '.join(types)} FROM read_csv('{source}', columns={columns}, "
             "auto_detect=false, header=true)")
conn.close()
"""


def write_rates(target: Path, rows: int, *, action: bool) -> None:
    """SDMX-CSV of so many observations."""
    (packed,) = SAMPLE.rglob("*.zip")
    with zipfile.ZipFile(packed) as archive:
        lines = archive.read("eurofxref-hist.csv").decode().splitlines()
    names = lines[0].rstrip(",").split(",")[1:]
    fixings = [
        (name, day, "" if rate == "N/A" else rate)
        for line in lines[1:]
        for day, *rates in [line.rstrip(",").split(",")]
        for name, rate in zip(names, rates, strict=False)
    ]
    head = "STRUCTURE,STRUCTURE_ID,ACTION" if action else "DATAFLOW"
    lead = "DATAFLOW,ECB:EXR(1.0),I" if action else "ECB:EXR(1.0)"
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{head},FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT\n")
        for number in range(rows):
            turn, place = divmod(number, len(fixings))
            name, day, rate = fixings[place]
            out.write(f"{lead},D,{name},EUR,SP00,S{turn},{day},{rate},{'A' if rate else 'M'},{name}\n")


def main() -> None:
    """Measure in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--action", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    source = asked.folder / ("rates-2.csv" if asked.action else "rates.csv")
    if not source.exists():
        write_rates(source, asked.rows, action=asked.action)
    package = asked.folder / "bench_rates.py"
    package.write_text(PLUGIN, encoding="utf-8")
    info = asked.folder / "bench_rates-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-rates\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\nbench_rates = bench_rates\n")
    environment = {**os.environ, "PYTHONPATH": str(asked.folder)}
    costs: dict[str, list[tuple[float, float, float]]] = {"sbf": [], "bare": []}
    for number in range(asked.reps):
        home = asked.folder / f"home-{source.stem}-{number}"
        (home / "files").mkdir(parents=True)
        os.link(source, home / "files" / "rates.csv")
        run = [sys.executable, "-m", "sbf_core", "run", "--home", str(home), "--plugins", "bench_rates"]
        target = asked.folder / f"bare-{source.stem}-{number}.duckdb"
        for who, command in (("bare", [sys.executable, "-c", BARE, str(source), str(target)]), ("sbf", run)):
            cost = measured(command, environment)
            costs[who].append((cost.wall, cost.cpu, cost.peak))
        query = [
            sys.executable,
            "-m",
            "sbf_core",
            "sql",
            "--home",
            str(home),
            "--format",
            "csv",
            "SELECT count(*) FROM silver.rates",
        ]
        found = subprocess.run(query, env=environment, capture_output=True, text=True, check=True).stdout.split()[-1]
        if int(found.replace(",", "")) != asked.rows:
            raise SystemExit(f"{found} rows are there, {asked.rows} were written")
    medians = {who: [statistics.median(each) for each in zip(*given, strict=True)] for who, given in costs.items()}
    for who, (wall, cpu, peak) in medians.items():
        print(f"{who}: wall {wall:.2f} s, CPU {cpu:.2f} s, {peak:.0f} MB")
    wall, cpu, _ = (ours / bare for ours, bare in zip(medians["sbf"], medians["bare"], strict=True))
    print(f"sbf / bare: wall {wall:.2f}, CPU {cpu:.2f}")


if __name__ == "__main__":
    main()
