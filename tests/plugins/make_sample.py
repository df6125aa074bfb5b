"""Makes the bundled recording from the source files: ``python -m sbf_plugins.sample.make BUNDLED BLS_FOLDER``.

The payloads are written by the same writer as any other. The moments are set here, because the files do not say when
their packages fetched them: each is the day that the data themselves state.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import shutil
import sys
import zipfile
from pathlib import Path

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

RUN_ID = "sample"


def _result(
    identity: tuple[str, str, str],
    address: str,
    payload: bytes,
    extension: str,
    fetched: str,
    ticker: str | None = None,
) -> RunResult:
    domain, source, dataset = identity
    moment = dt.datetime.fromisoformat(fetched).replace(tzinfo=dt.UTC)
    request = RunRequest(run_id=RUN_ID, domain=domain, source=source, dataset=dataset, ticker=ticker)
    status = None if ticker else 200
    return RunResult(
        request=request, address=address, payload=payload, extension=extension, fetched_at=moment, status_code=status
    )


def packed(content: bytes) -> bytes:
    """A zip by LZMA of our own export of a table, half of what gzip makes of it; the vendor's bytes are left alone."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(zipfile.ZipInfo("cpi.csv"), content, zipfile.ZIP_LZMA)  # a ZipInfo of its own is of 1980
    return target.getvalue()


def results(bundled: Path, bls: Path) -> list[RunResult]:
    """Every payload of the sample, oldest first."""
    found = [
        _result(
            ("fx", "ecb", "reference_rates"),
            "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",
            (bundled / "eurofxref-hist.zip").read_bytes(),
            "zip",
            "2026-10-30T16:00:00",
        ),
        _result(
            ("reference", "iso4217", "currencies"),
            "https://www.six-group.com/dam/download/financial-information/data-center/iso-currrency/lists/list-one.xml",
            (bundled / "iso4217-table.xml").read_bytes(),
            "xml",
            "2026-01-01T00:00:00",
        ),
        _result(
            ("reference", "sec", "company_tickers"),
            "package:edgartools/edgar/reference/data/company_tickers.parquet",
            (bundled / "company_tickers.parquet").read_bytes(),
            "parquet",
            "2026-11-01T00:00:00",
        ),
    ]
    for label in ("2025-09", "2026-09"):
        path = next(bls.glob(f"*CUSR0000SA_{label}*"))
        address = "package:cpi/cpi/cpi.db?table=indexes&series=CUSR0000SA*"
        payload = packed(gzip.decompress(path.read_bytes()))
        found.append(_result(("macro", "bls", "cpi"), address, payload, "zip", f"{label}-30T00:00:00"))
    lines = gzip.decompress((bundled / "stocks.csv.gz").read_bytes()).splitlines(keepends=True)
    for ticker in ("AAPL", "FB", "GOOG", "IBM", "MSFT"):
        payload = b"".join([lines[0], *(line for line in lines[1:] if line.startswith(ticker.encode() + b","))])
        found.append(
            _result(("prices", "wiki", "eod"), f"eod/{ticker}.csv", payload, "csv", "2013-03-02T00:00:00", ticker)
        )
    return sorted(found, key=lambda result: (result.fetched_at, result.request.key))


def main(bundled: str, bls: str) -> None:
    """Write the recording beside this file."""
    target = Path(__file__).parent / "bronze"
    shutil.rmtree(target, ignore_errors=True)
    scratch = Path(__file__).parent / "scratch"
    writer = BronzeFileWriter(DuckDbConfig(home=scratch))
    for result in results(Path(bundled), Path(bls)):
        writer.write(result)
    writer.close()
    shutil.move(scratch / "bronze", target)
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
