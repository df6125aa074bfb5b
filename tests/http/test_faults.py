"""What vendors do wrong, each against a real socket (reliability.md, H1 to H32):
nothing of it becomes data, and a clean run afterwards ends as if nothing had happened.
"""

from __future__ import annotations

import gzip
import json
import resource
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import stamina

sys.path.insert(0, str(Path(__file__).parent))
from faulty import STALL_SECONDS, FaultyVendor, Script, answer, chunked, drip, raw, reset, stall, zipped
from hang import HANG_SECONDS
from warehouse import START, Warehouse, entry, price

from sbf_core.api import DataRules, DatasetKeymapEntry, RestRecipe, RunResult, hookimpl
from sbf_core.care.digest import digest_tables
from sbf_core.cli.outcome import tell_outcome
from sbf_core.clock import FixedClock
from sbf_core.failures import FailureKind
from sbf_core.http.live import LiveSession
from sbf_core.http.vendor import FAILURES_MAX
from sbf_core.http.vendor_session import VendorSession
from sbf_core.runner.options import RunOptions
from sbf_core.runs.live import read_live
from sbf_core.runs.request import RunRequest

ROWS = [price("AAA", f"2024-01-{day:02}", f"{day}.25") for day in range(1, 29)]
BODY = json.dumps(ROWS).encode()
GOOD = answer(BODY)
#: For requests that are to be late; all others have time, however busy the machine is.
DEADLINE_SECONDS = 1.5
PAGE = b"<!DOCTYPE html>\n<html><head><title>Please log in</title></head><body>captcha</body></html>"


class Plugin:
    """Two vendors: one that misbehaves, one that does not."""

    def __init__(self, *entries: DatasetKeymapEntry) -> None:
        self.entries = list(entries)

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return self.entries


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def vendor() -> Iterator[FaultyVendor]:
    with FaultyVendor() as faulty:
        yield faulty


def recipe(url: str, **more: object) -> RestRecipe:
    return RestRecipe(
        url=url,
        **{"deadline_seconds": HANG_SECONDS, "mebibytes_max": 4, **more},  # type: ignore[arg-type]
    )


def warehouse_of(home: Path, vendor: FaultyVendor, **more: object) -> Warehouse:
    rules = DataRules(
        error_fields=("Note", "Information", "error", "Error Message"),
        error_texts=("Too Many Requests",),
        plan_texts=("Exclusive Endpoint",),
    )
    odd = entry(source="odd", silver_table="odd_px", recipe=recipe(vendor.url("/odd"), **more), is_data=rules)
    even = entry(source="even", silver_table="even_px", recipe=recipe(vendor.url("/even")))
    return Warehouse(home, Plugin(odd, even))


def digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {item.table: item.sha256 for item in digest_tables(cursor, keys={})}


@attrs.frozen
class Fault:
    """What the vendor does, and what must come of it.

    Attributes:
        scripts: its answers, the last one for ever.
        kind: the kind of failure on record; empty: the run succeeds in spite of it.
        attempts: how often it is asked; of what is late, at most.
        kept: whether what came is in quarantine.
    """

    scripts: tuple[Script, ...]
    kind: str = ""
    attempts: int = 1
    kept: bool = False


def whole(body: bytes, kind: str) -> Fault:
    return Fault((answer(body),), kind, 1, kept=bool(body))


FAULTS = {
    "H1 429 with seconds, then data": Fault((answer(status=429, headers=[("Retry-After", "1")]), GOOD), attempts=2),
    "H2 429 with a date, then data": Fault(
        (answer(status=429, headers=[("Retry-After", "Tue, 02 Jan 2024 12:00:01 GMT")]), GOOD), attempts=2
    ),
    "H3 429 with 0, then data": Fault((answer(status=429, headers=[("Retry-After", "0")]), GOOD), attempts=2),
    "H4 429 until tomorrow": Fault((answer(status=429, headers=[("Retry-After", "86400")]),), "deferred", 1),
    "H4 503 until next year": Fault(
        (answer(status=503, headers=[("Retry-After", "Thu, 02 Jan 2025 12:00:00 GMT")]),), "deferred", 1
    ),
    "H5 429 for ever": Fault((answer(status=429),), "http_429", 5),
    "H5 429 with nonsense for ever": Fault((answer(status=429, headers=[("Retry-After", "soon")]),), "http_429", 5),
    "H6 500, then data": Fault((answer(b"oops", status=500), GOOD), attempts=2),
    "H7 502 with a page, then data": Fault((answer(PAGE, status=502), GOOD), attempts=2),
    "H8 503 four times, then data": Fault((*[answer(status=503)] * 4, GOOD), attempts=5),
    "H8 503 for ever": Fault((answer(status=503),), "http_503", 5),
    "H9 400": Fault((answer(status=400),), "http_400", 1),
    "H9 401": Fault((answer(status=401),), "http_401", 1),
    "H9 403": Fault((answer(PAGE, status=403),), "http_403", 1),
    "H9 404": Fault((answer(status=404),), "http_404", 1),
    "H9 402: the plan": Fault((answer(status=402),), "plan", 1),
    "H9 403: the plan": Fault((answer(b'{"Error Message": "Exclusive Endpoint : upgrade"}', status=403),), "plan", 1),
    "H9 200: the plan": Fault((answer(b'{"x": "Exclusive Endpoint : upgrade"}'),), "plan", 1, kept=True),
    "H9 204 and no body": Fault((answer(status=204),), "http_204", 1),
    "H9 206 and a part": Fault((answer(BODY[:100], status=206),), "http_206", 1),
    "H10 reset before the headers, then data": Fault((reset(), GOOD), attempts=2),
    "H10 closed before the headers, then data": Fault((raw(b""), GOOD), attempts=2),
    "H11 reset in the body, then data": Fault(
        (reset(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"), GOOD), attempts=2
    ),
    "H11 reset in the body for ever": Fault(
        (reset(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"),), "truncated", 5
    ),
    "H12 reset after the body": Fault((reset(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY),)),
    "H13 9 bytes of 1000": Fault((answer(b"[1, 2, 3]", length=1000),), "truncated", 5),
    "H13 9 bytes of 1000, then data": Fault((answer(b"[1, 2, 3]", length=1000), GOOD), attempts=2),
    "H14 no last chunk": Fault((chunked(BODY, end=False),), "truncated", 5),
    "H14 chunks": Fault((chunked(BODY),)),
    "H15 a cut gzip with its length": Fault((zipped(BODY, change=lambda content: content[:-20]),), "truncated", 5),
    "H15 a gzip without its trailer": Fault((zipped(BODY, change=lambda content: content[:-8]),), "truncated", 5),
    "H15 a gzip with another checksum": Fault(
        (zipped(BODY, change=lambda content: content[:-8] + b"12345678"),), "coding", 1, kept=True
    ),
    "H15 gzip": Fault((zipped(BODY),)),
    "H16 cut JSON without a length": Fault((answer(BODY[:-30], length=None),), "truncated", 1, kept=True),
    "H16 whole JSON without a length": Fault((answer(BODY, length=None),)),
    "H17 a second gzip member": Fault(
        (zipped(BODY, change=lambda content: content + gzip.compress(b"x")),), "extra_bytes", 1, kept=True
    ),
    "H17 rubbish after gzip": Fault(
        (zipped(BODY, change=lambda content: content + b"rubbish"),), "extra_bytes", 1, kept=True
    ),
    "H18 a byte now and then": Fault((drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n "),), "deadline", 1),
    "H18 a header byte now and then": Fault((drip(b"HTTP/1.1 200 OK\r\nX: x"),), "deadline", 1),
    "H18 nothing after the headers": Fault((stall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),), "deadline", 1),
    "H18 nothing at all": Fault((stall(),), "deadline", 1),
    "H19 a login page": whole(PAGE, "not_data"),
    "H19 a page that says it is JSON": Fault(
        (answer(b"\n  <html><body>maintenance", headers=[("Content-Type", "application/json")]),),
        "not_data",
        1,
        kept=True,
    ),
    "H20 a note": whole(b'{"Note": "5 calls per minute"}', "error_note"),
    "H20 information": whole(b'{"Information": "premium"}', "error_note"),
    "H20 an error": whole(b'{"error": "no"}', "error_note"),
    "H20 an error in a list": whole(b'[{"Error Message": "Invalid API KEY."}]', "error_note"),
    "H20 text": whole(b"Too Many Requests", "error_note"),
    "H20 other text": whole(b"come back later", "not_data"),
    "H20 a text of JSON": whole(b'"come back later"', "not_data"),
    "H20 a number": whole(b"17", "not_data"),
    "H20 an object": whole(b'{"rows": 1}', "not_data"),
    "H20 an empty object": whole(b"{}", "empty"),
    "H20 an empty list": whole(b"[]", "empty"),
    "H20 nothing": whole(b"", "empty"),
    "H20 blanks": whole(b" \n ", "empty"),
    "H20 null": whole(b"null", "empty"),
    "H20 no JSON": whole(b"[1, 2", "not_data"),
    "H21 a bomb": Fault((zipped(b"\0" * 50_000_000),), "too_large", 1, kept=True),
    "H21 too much": Fault((answer(b" " * 5_000_000),), "too_large", 1, kept=True),
    "H21 gzip twice": Fault((zipped(BODY, coding="gzip, gzip"),), "coding", 1),
    "H21 brotli": Fault((answer(b"\x8b\x00", headers=[("Content-Encoding", "br")]),), "coding", 1),
    "H21 zstd": Fault((answer(b"\x28\xb5\x2f\xfd", headers=[("Content-Encoding", "zstd")]),), "coding", 1),
    "H21 gzip that is none": Fault((answer(BODY, headers=[("Content-Encoding", "gzip")]),), "coding", 1, kept=True),
    "H29 cookies and headers for nothing": Fault(
        (answer(BODY, headers=[("Set-Cookie", "a=b"), ("X-Long", "x" * 8000)]),)
    ),
    "H29 a header of 20 kB, as of a policy for browsers": Fault(
        (answer(BODY, headers=[("Content-Security-Policy", "x" * 20_000)]),)
    ),
    "H29 a header of 1 MB": Fault((answer(BODY, headers=[("X-Long", "x" * 1_000_000)]),), "protocol", 1),
    "H29 two lengths": Fault((answer(BODY, headers=[("Content-Length", "3")]),), "protocol", 1),
    "H29 no HTTP": Fault((raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),), "protocol", 1),
    "H29 a header that is none": Fault(
        (raw(b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n[]"),), "protocol", 1
    ),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a run comes to whose vendors do nothing wrong; at which port they answer makes no difference."""
    with FaultyVendor() as vendor:
        vendor.says("/odd", GOOD)
        vendor.says("/even", GOOD)
        warehouse = warehouse_of(tmp_path_factory.mktemp("undisturbed") / "home", vendor)
        assert warehouse.run().errors == []
    return digests(warehouse)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_never_becomes_data(
    tmp_path: Path, vendor: FaultyVendor, undisturbed: dict[str, str], fault: Fault
) -> None:
    vendor.says("/odd", *fault.scripts)
    vendor.says("/even", GOOD)
    is_late = fault.kind == "deadline"
    warehouse = warehouse_of(tmp_path / "home", vendor, **({"deadline_seconds": DEADLINE_SECONDS} if is_late else {}))
    context = warehouse.run()
    asked = vendor.count("/odd")
    assert asked == fault.attempts or (is_late and asked < fault.attempts), context.errors
    rows = warehouse.ask(
        "SELECT status, error_kind, error FROM ops.file_ingestions WHERE kind = 'file' AND source = 'odd'"
    )
    if fault.kind:
        status = {"plan": "skipped", "deferred": "deferred"}.get(fault.kind, "failed")
        assert [row[0] for row in rows] == [status], rows
        code = fault.kind.removeprefix("http_")
        assert rows[0][1] == (FailureKind.HTTP_STATUS if code.isdigit() else fault.kind), rows
        assert not code.isdigit() or rows[0][2].startswith(f"HTTP {code}"), rows
        assert not any("odd" in name for name in warehouse.bronze_files())
        assert context.status == ("ok" if fault.kind == "plan" else "partial")
    else:
        assert context.errors == []
    quarantined = [path for path in (warehouse.home / "quarantine").rglob("*") if path.is_file()]
    assert len(quarantined) == fault.kept
    assert warehouse.ask("SELECT count(*), count(DISTINCT reason) FROM ops.quarantine") == [
        (int(fault.kept), int(fault.kept))
    ]
    assert warehouse.ask("SELECT count(*) FROM silver.even_px") == [(len(ROWS),)], "the other vendor is not concerned"
    vendor.says("/odd", GOOD)
    warehouse = warehouse_of(tmp_path / "home", vendor)
    clean = warehouse.run(options=RunOptions(force=fault.kind == "deferred"))
    assert clean.errors == []
    assert digests(warehouse) == undisturbed


def session_of(
    vendor: FaultyVendor, path: str, tmp_path: Path, **more: object
) -> tuple[LiveSession, RunRequest, DatasetKeymapEntry]:
    declared = entry(source="odd", recipe=recipe(vendor.url(path), **more))
    request = RunRequest(run_id="r", domain=declared.domain, source=declared.source, dataset=declared.dataset)
    return LiveSession(FixedClock(START), files=tmp_path), request, declared


def get(
    vendor: FaultyVendor,
    path: str,
    tmp_path: Path,
    *,
    url: str = "",
    headers: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    **more: object,
) -> RunResult:
    live, request, declared = session_of(vendor, path, tmp_path, **more)
    try:
        return VendorSession(live, declared).get(
            request, url or vendor.url(path), secrets=secrets, secret_headers=headers
        )
    finally:
        live.close()


ELSEWHERE = {
    "a file": "file:///etc/hostname",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata as IPv6": "http://[::ffff:a9fe:a9fe]/",
    "this machine": "http://localhost:{port}/target",
    "this machine as IPv6": "http://[::1]:{port}/target",
    "another host": "http://example.com/target",
    "nonsense": "http://[::1",
    "ftp": "ftp://127.0.0.1/target",
}


@pytest.mark.parametrize("target", ELSEWHERE.values(), ids=ELSEWHERE)
def test_h22_a_redirect_elsewhere_is_refused(tmp_path: Path, vendor: FaultyVendor, target: str) -> None:
    vendor.says("/odd", answer(status=302, headers=[("Location", target.format(port=vendor.port))]))
    vendor.says("/target", GOOD)
    result = get(vendor, "/odd", tmp_path)
    assert (result.kind, result.payload) == ("redirect", b"")
    assert vendor.count("/target") == 0


@pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.2", "169.254.169.254"])
def test_h22_a_declared_host_that_is_private_is_refused(tmp_path: Path, vendor: FaultyVendor, host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    vendor.says("/odd", answer(status=302, headers=[("Location", f"http://{shown}:{vendor.port}/target")]))
    vendor.says("/target", GOOD)
    result = get(vendor, "/odd", tmp_path, redirect_hosts=(host,))
    assert result.kind == "redirect"
    assert vendor.count("/target") == 0


def test_h22_a_name_that_leads_to_a_private_address_is_refused(
    tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: (
            real("127.0.0.1", *rest, **more) if host == "rebound.example.com" else real(host, *rest, **more)
        ),
    )
    vendor.says("/odd", answer(status=302, headers=[("Location", f"http://rebound.example.com:{vendor.port}/target")]))
    vendor.says("/target", GOOD)
    result = get(vendor, "/odd", tmp_path, redirect_hosts=("rebound.example.com",))
    assert (result.kind, result.error) == ("redirect", "rebound.example.com leads to 127.0.0.1")
    assert vendor.count("/target") == 0


def test_h22_a_redirect_on_the_same_host_is_followed_without_the_key(
    tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_KEY", "canary-of-the-test")
    vendor.says("/odd", answer(status=301, headers=[("Location", "/target?x=1")]))
    vendor.says("/target", GOOD)
    result = get(vendor, "/odd", tmp_path, secrets={"apikey": "ODD_KEY"}, headers={"x-key": "ODD_KEY"})
    assert result.payload == BODY
    assert "canary" in vendor.requests["/odd"][0]["target"]
    assert vendor.requests["/target"][0]["target"] == "/target?x=1"


@pytest.mark.parametrize("location", ["/odd", "/odd?again", "/a"])
def test_h22_a_loop_ends(tmp_path: Path, vendor: FaultyVendor, location: str) -> None:
    vendor.says("/odd", answer(status=302, headers=[("Location", location)]))
    vendor.says("/a", answer(status=302, headers=[("Location", "/odd")]))
    assert get(vendor, "/odd", tmp_path).kind == "redirect"
    assert vendor.count("/odd") + vendor.count("/a") <= 7


def test_h5_a_vendor_that_fails_again_and_again_is_left_alone(
    tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand tickers of a dead vendor cost the attempts of a few, and one line; the other vendor finishes."""
    monkeypatch.setattr("sbf_core.http.vendor.time", SimpleNamespace(monotonic=lambda: 0.0))  # the pause is never over
    vendor.says("/even", GOOD)
    tickers = tuple(f"T{number}" for number in range(2000))
    odd = entry(
        source="odd",
        silver_table="odd_px",
        scope="per_ticker",
        recipe=recipe(vendor.url("/odd") + "?t={ticker}", connections=1),
    )
    even = entry(source="even", silver_table="even_px", recipe=recipe(vendor.url("/even")))
    vendor.says("/odd", answer(status=503))
    warehouse = Warehouse(tmp_path / "home", Plugin(odd, even))
    context = warehouse.run(universe__tickers=tickers)
    assert vendor.count("/odd") == FAILURES_MAX * 5
    assert warehouse.ask("SELECT count(*) FROM silver.even_px") == [(len(ROWS),)]
    assert context.errors == [
        f"prices/odd/eod: HTTP 503 ({FAILURES_MAX} requests, the first for T0)",
        f"prices/odd/eod: odd was not asked: HTTP 503 ({2000 - FAILURES_MAX} requests, the first for T{FAILURES_MAX})",
    ]
    assert context.failed_requests == 2000


def test_h9_a_refused_key_is_named_and_not_shown(
    tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_KEY", "canary-of-the-test")
    vendor.says("/odd", answer(status=401))
    result = get(vendor, "/odd", tmp_path, secrets={"apikey": "ODD_KEY"})
    assert result.error == "HTTP 401: the vendor does not accept the key ODD_KEY"


def test_h18_a_name_that_is_not_found_in_time(
    tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        waiting.wait(STALL_SECONDS)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    result = get(vendor, "/odd", tmp_path, url="http://vendor.example.com/", deadline_seconds=DEADLINE_SECONDS)
    waiting.set()
    assert result.kind == "deadline"


def test_h18_a_connection_that_is_never_made(tmp_path: Path, vendor: FaultyVendor) -> None:
    """A listener whose queue is full takes no connection and refuses none."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        result = get(vendor, "/odd", tmp_path, url=f"http://127.0.0.1:{address[1]}/", deadline_seconds=DEADLINE_SECONDS)
        for each in waiting:
            each.close()
    assert result.kind in ("deadline", "connect")


def test_h21_a_bomb_takes_no_memory(tmp_path: Path, vendor: FaultyVendor) -> None:
    vendor.says("/odd", zipped(b"\0" * 400_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = get(vendor, "/odd", tmp_path, mebibytes_max=512)
    assert (result.kind, result.payload) == ("too_large", b"")
    assert "a bomb" in str(result.error)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024 + 400_000
    )  # kilobytes; the test made the bomb itself


def test_h27_what_did_not_change_is_not_sent(tmp_path: Path, vendor: FaultyVendor) -> None:
    vendor.says("/even", GOOD)
    given = [("ETag", '"abc"'), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")]
    vendor.says("/odd", answer(BODY, headers=given))
    warehouse = warehouse_of(tmp_path / "home", vendor)
    assert warehouse.run().files == 2
    vendor.says("/odd", answer(status=304, headers=given))
    context = warehouse.run(hours_later=24)
    asked = vendor.requests["/odd"][-1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"abc"', "Mon, 01 Jan 2024 00:00:00 GMT")
    assert (context.files, context.unchanged_files, context.errors) == (0, 2, [])
    assert warehouse.run(hours_later=1).requests == 0, "an answer that nothing changed counts as fetched"
    rebuilt = warehouse.ask("SELECT count(*), count(etag), count(last_modified) FROM ops.bronze_manifest")
    assert rebuilt == [(2, 1, 1)]


def test_h27_a_304_that_nobody_asked_for_is_a_failure(tmp_path: Path, vendor: FaultyVendor) -> None:
    vendor.says("/odd", answer(status=304))
    refused = get(vendor, "/odd", tmp_path)
    assert (refused.kind, refused.status_code) == (FailureKind.HTTP_STATUS, 304)


def test_h28_bytes_that_differ_only_in_form_change_no_row(tmp_path: Path, vendor: FaultyVendor) -> None:
    vendor.says("/even", GOOD)
    vendor.says("/odd", GOOD)
    warehouse = warehouse_of(tmp_path / "home", vendor)
    warehouse.run()
    vendor.says("/odd", answer(json.dumps(ROWS, indent=1).encode()))
    context = warehouse.run(hours_later=24)
    assert (context.files, context.rows_inserted, context.rows_updated, context.rows_unchanged) == (1, 0, 0, len(ROWS))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates that nobody but the test trusts, made when needed: one for this machine, one for another."""
    folder = tmp_path_factory.mktemp("tls")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make certificates")
    for name, subject in (("here", "IP:127.0.0.1"), ("elsewhere", "DNS:vendor.example.com")):
        made = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-addext",
            f"subjectAltName={subject}",
        ]
        subprocess.run(
            [*made, "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")],
            check=True,
            capture_output=True,
        )
    return folder


@contextmanager
def tls_vendor(certificates: Path, name: str) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if name != "reset":
        context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")

    class Tls(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if name == "reset":
                return
            try:
                with context.wrap_socket(self.request, server_side=True) as secure:
                    secure.recv(10_000)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
            except OSError:
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tls) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("name", "trusted", "kind"),
    [("here", True, ""), ("here", False, "tls"), ("elsewhere", True, "tls"), ("reset", True, "connect")],
)
def test_h30_only_a_certificate_that_is_good_is_taken(
    tmp_path: Path,
    vendor: FaultyVendor,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    trusted: bool,
    kind: str,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / f"{'here' if name == 'reset' else name}.pem"))
    with tls_vendor(certificates, name) as url:
        result = get(vendor, "/odd", tmp_path, url=url)
    assert result.kind == kind, result.error
    assert result.ok == (not kind)


@pytest.mark.parametrize(("days", "said"), [(2, "48.0 h ahead of"), (-2, "48.0 h behind")])
def test_h32_clocks_that_are_far_apart_are_told(
    tmp_path: Path, vendor: FaultyVendor, caplog: pytest.LogCaptureFixture, days: int, said: str
) -> None:
    moment = {2: "Thu, 04 Jan 2024 12:00:00 GMT", -2: "Sun, 31 Dec 2023 12:00:00 GMT"}[days]
    vendor.says("/odd", answer(BODY, headers=[("Date", moment)]))
    assert get(vendor, "/odd", tmp_path).ok
    assert said in caplog.text


def test_a_plan_that_is_too_low_is_told_once_and_is_no_failure(
    tmp_path: Path, vendor: FaultyVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.says("/odd", answer(status=402))
    odd = entry(source="odd", scope="per_ticker", recipe=recipe(vendor.url("/odd") + "?t={ticker}", connections=1))
    context = Warehouse(tmp_path / "home", Plugin(odd)).run(universe__tickers=("A", "B", "C"))
    assert (vendor.count("/odd"), context.skipped_requests, context.status) == (1, 3, "ok")
    tell_outcome(context)
    assert (
        capsys.readouterr().err.splitlines()[-1]
        == "sbf: note: prices/odd/eod: the plan does not cover it (HTTP 402) (3 requests, the first for A)"
    )


def test_a_vendor_that_says_when_is_asked_then(tmp_path: Path, vendor: FaultyVendor) -> None:
    """Once for a dataset, whatever its tickers, and not by the next run either,
    until the time has come or --force says so.
    """
    vendor.says("/odd", answer(status=429, headers=[("Retry-After", "7200")]))
    declared = recipe(vendor.url("/odd") + "?t={ticker}", connections=1)
    odd = entry(source="odd", silver_table="odd_px", scope="per_ticker", recipe=declared)
    warehouse = Warehouse(tmp_path / "home", Plugin(odd))
    context = warehouse.run(universe__tickers=("A", "B", "C"))
    assert (vendor.count("/odd"), context.deferred_requests) == (1, 3)
    assert "allows the next request in 2:00:00 only" in context.errors[0]
    assert warehouse.run(hours_later=1.9, universe__tickers=("A", "B", "C")).deferred_requests == 3
    assert vendor.count("/odd") == 1
    vendor.says("/odd", GOOD)
    assert warehouse.run(universe__tickers=("A",), options=RunOptions(force=True)).errors == []
    assert vendor.count("/odd") == 2
    assert warehouse.run(hours_later=0.2, universe__tickers=("A", "B", "C")).errors == []
    assert vendor.count("/odd") == 4


def test_a_vendor_that_says_next_year_is_asked_tomorrow(tmp_path: Path, vendor: FaultyVendor) -> None:
    vendor.says("/odd", answer(status=503, headers=[("Retry-After", "Thu, 02 Jan 2025 12:00:00 GMT")]))
    warehouse = Warehouse(tmp_path / "home", Plugin(entry(source="odd", recipe=recipe(vendor.url("/odd")))))
    for hours, asked in ((0, 1), (23, 1), (1.1, 2)):
        assert warehouse.run(hours_later=hours).deferred_requests == 1
        assert vendor.count("/odd") == asked


def test_the_limits_of_a_vendor_hold_for_all_its_datasets(tmp_path: Path, vendor: FaultyVendor) -> None:
    """A budget of three requests an hour, declared by one of two datasets: the fourth is put off, whoever makes it."""
    vendor.says("/odd", GOOD)
    limited = entry(
        source="odd",
        silver_table="odd_px",
        scope="per_ticker",
        recipe=recipe(vendor.url("/odd") + "?t={ticker}", limits=("3/hour",), connections=1),
    )
    other = entry(
        source="odd",
        dataset="other",
        silver_table="other_px",
        scope="per_ticker",
        recipe=recipe(vendor.url("/odd") + "?o={ticker}", connections=1),
    )
    warehouse = Warehouse(tmp_path / "home", Plugin(other, limited))
    context = warehouse.run(universe__tickers=("A", "B"))
    assert vendor.count("/odd") == 3
    assert (context.files, context.deferred_requests, context.status) == (3, 1, "partial")
    assert "allows the next request in" in context.errors[0]
    live = read_live(tmp_path / "home" / "live.json")
    assert live is not None
    assert [(one.source, one.limit, one.used, one.allowed) for one in live.limits] == [("odd", "3/hour", 3, 3)]
    assert warehouse.run(universe__tickers=("A", "B")).deferred_requests == 1, "the next run knows of it"
    assert vendor.count("/odd") == 3


def test_proxies_of_the_system_are_used(tmp_path: Path, vendor: FaultyVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyVendor() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url(""))
        monkeypatch.delenv("no_proxy", raising=False)
        proxy.says("http://vendor.example.com/odd", GOOD)
        assert get(vendor, "/odd", tmp_path, url="http://vendor.example.com/odd").payload == BODY


def test_a_proxy_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyVendor() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url(""))
        monkeypatch.delenv("no_proxy", raising=False)
        proxy.says("vendor.example.com:443", answer(status=407))
        result = get(proxy, "/odd", tmp_path, url="https://vendor.example.com/odd?apikey=canary")
        assert (result.kind, result.error) == ("connect", "no connection: the proxy answers HTTP 407")
        assert proxy.count("vendor.example.com:443") == 1
