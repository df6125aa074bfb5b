"""Alerts of a warehouse, by real mail and real web hooks."""

from __future__ import annotations

import email
import email.message
import email.policy
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.alerts.alerting import Outcome, Sent, alert, try_rules
from sbf_core.alerts.told import FILE_NAME
from sbf_core.api import DatasetFailure, ExpectedBy
from sbf_core.errors import EnvironmentFault, HomeLocked, UsageError
from sbf_core.file_lock import FileLock

BY_NOON = ExpectedBy(hour="12:00", zone="UTC", calendar="weekdays")
LATE = "prices/fake/eod"


class Mailbox:
    """An SMTP server that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        del server, session
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, email.message.EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=_free_port())
    controller.start()
    yield box, f"mailto://127.0.0.1:{controller.port}?from=sbf@example.com&to=me@example.com"
    controller.stop()


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@pytest.fixture
def made(tmp_path: Path) -> tuple[Warehouse, FakeVendor]:
    vendor = FakeVendor(entry(expected_by=BY_NOON))
    vendor.says([price("A", "2024-01-01"), price("A", "2024-01-02")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    write(warehouse, "[alerts.mail]\nto = 'ALERT_MAIL'\n")
    return warehouse, vendor


def write(warehouse: Warehouse, text: str) -> None:
    (warehouse.home / "sbf.toml").write_text(text, encoding="utf-8")


def told(warehouse: Warehouse, **facts: Any) -> list[Outcome]:
    return alert(warehouse.opened(), **facts)


def plain(mail: email.message.EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_mails_of_a_week(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (warehouse, vendor), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    assert [one.sent for one in told(warehouse)] == [Sent.NOTHING]
    warehouse.clock.advance(hours=25)  # noon of the third, and no row of it
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD]
    assert [one.sent for one in told(warehouse)] == [Sent.NOTHING]
    vendor.says([price("A", "2024-01-03")])
    warehouse.run(hours_later=1)
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD]
    first, second = box.mails
    home = warehouse.home
    assert first["Subject"] == f"sbf: 1 fault in {home}" and first["To"] == "me@example.com"
    assert plain(first).splitlines() == [
        "late prices/fake/eod, since 2024-01-03 12:00Z",
        "  rows of 2024-01-03 are not there; the newest are of 2024-01-02",
        f"  go on with: sbf run --home {home} --select prices/fake/eod",
    ]
    assert second["Subject"] == f"sbf: 1 well again in {home}"
    assert plain(second).splitlines() == ["well again:", "  late prices/fake/eod, since 2024-01-03 12:00Z"]


def test_marks_of_html_and_lines_reach_a_mail_as_they_are(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (warehouse, vendor), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    vendor.says(DatasetFailure("answered <b>down</b> & <script>"))
    warehouse.run(hours_later=24)
    told(warehouse)
    assert "answered <b>down</b> & <script>" in plain(box.mails[0])
    assert box.mails[0].get_content_type() == "text/plain"
    assert len(plain(box.mails[0]).splitlines()) > 3


def test_a_web_hook_and_a_key_that_a_vendor_repeats(
    made: tuple[Warehouse, FakeVendor], httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, vendor = made
    httpserver.expect_request("/hook/s3cr3t-path").respond_with_data("ok")
    address = f"json://127.0.0.1:{httpserver.port}/hook/s3cr3t-path"
    monkeypatch.setenv("ALERT_MAIL", address)
    vendor.says(DatasetFailure(f"no mercy for {address}"))
    warehouse.run(hours_later=24)
    (outcome,) = told(warehouse)
    assert outcome.sent is Sent.TOLD
    ((request, _),) = httpserver.log
    sent = json.loads(request.get_data())
    assert sent["title"] == f"sbf: 3 faults in {warehouse.home}" and sent["type"] == "warning"
    assert "not_fetched prices/fake/eod" in sent["message"] and "no mercy for ***" in sent["message"]
    assert "s3cr3t-path" not in request.get_data(as_text=True) + (warehouse.home / FILE_NAME).read_text()


def test_a_channel_that_fails_is_told_again_and_is_no_fault(
    made: tuple[Warehouse, FakeVendor], httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, _ = made
    httpserver.expect_ordered_request("/hook").respond_with_data("no", status=500)
    httpserver.expect_ordered_request("/hook").respond_with_data("ok")
    monkeypatch.setenv("ALERT_MAIL", f"json://127.0.0.1:{httpserver.port}/hook")
    warehouse.clock.advance(hours=25)
    (failed,) = told(warehouse)
    assert failed.sent is Sent.FAILED and "500" in failed.why
    (again,) = told(warehouse)
    assert again.sent is Sent.TOLD and failed.message == again.message
    assert [one.sent for one in told(warehouse)] == [Sent.NOTHING]


def test_a_dry_run_sends_and_keeps_nothing(made: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, _ = made
    warehouse.clock.advance(hours=25)
    for _ in range(2):
        (outcome,) = told(warehouse, is_dry=True)  # not even the key is needed
        assert outcome.sent is Sent.DRY and outcome.message is not None and LATE in outcome.message.body
    assert not (warehouse.home / FILE_NAME).exists()


def test_each_rule_has_what_it_wants(
    made: tuple[Warehouse, FakeVendor], httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, _ = made
    write(
        warehouse,
        "[alerts.late]\nto = 'HOOK'\nwhat = ['late']\n[alerts.gold]\nto = 'HOOK'\nwhich = ['gold.*']\n",
    )
    httpserver.expect_request("/hook").respond_with_data("ok")
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{httpserver.port}/hook")
    warehouse.clock.advance(hours=25)
    assert [(one.rule.name, one.sent) for one in told(warehouse)] == [("gold", Sent.NOTHING), ("late", Sent.TOLD)]
    assert len(httpserver.log) == 1
    assert [(one.rule.name, one.sent) for one in try_rules(warehouse.opened())] == [
        ("gold", Sent.TOLD), ("late", Sent.TOLD),
    ]  # fmt: skip


def test_what_cannot_be_read_is_told_and_ends_no_other_fault(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (warehouse, _), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    warehouse.clock.advance(hours=25)
    told(warehouse)
    database = warehouse.home / "sbf.duckdb"
    whole = database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD]
    assert [one.sent for one in told(warehouse)] == [Sent.NOTHING]
    database.write_bytes(whole)
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD]
    assert [plain(mail).splitlines()[0] for mail in box.mails] == [
        "late prices/fake/eod, since 2024-01-03 12:00Z", "unreadable warehouse", "well again:",
    ]  # fmt: skip
    assert "late" not in plain(box.mails[2]).splitlines()[1]


def test_little_room_is_told(made: tuple[Warehouse, FakeVendor]) -> None:
    warehouse, _ = made
    write(warehouse, "[check]\nfree_gib_min = 1_000_000\n[alerts.mail]\nto = 'ALERT_MAIL'\n")
    (outcome,) = told(warehouse, is_dry=True)
    assert outcome.message is not None and outcome.message.body.startswith("disk_low disk\n")
    assert "are wanted (check.free_gib_min)" in outcome.message.body


def test_on_a_full_disk_what_was_told_is_kept_in_place(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (warehouse, _), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    told(warehouse)
    size = (warehouse.home / FILE_NAME).stat().st_size

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sbf_core.alerts.told.write_whole", full)
    warehouse.clock.advance(hours=25)
    assert [[one.sent for one in told(warehouse)] for _ in range(3)] == [[Sent.TOLD], [Sent.NOTHING], [Sent.NOTHING]]
    assert (warehouse.home / FILE_NAME).stat().st_size == size and len(box.mails) == 1
    (warehouse.home / FILE_NAME).unlink()
    with pytest.raises(EnvironmentFault, match=r"cannot be kept: No space left on device; it may be told again"):
        told(warehouse)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rules": {"mail": {"late x": {"since": "soon"}}}}', b"null"])
def test_what_nobody_understands_is_told_once_more(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (warehouse, _), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    warehouse.clock.advance(hours=25)
    told(warehouse)
    (warehouse.home / FILE_NAME).write_bytes(content)
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD]
    assert len(box.mails) == 2


def test_two_that_tell_at_once(made: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, _ = made
    monkeypatch.setenv("ALERT_MAIL", "json://127.0.0.1:9/")
    lock = FileLock(warehouse.home / f"{FILE_NAME}.lock")
    assert lock.acquire()
    with pytest.raises(HomeLocked, match="another process tells just now"):
        told(warehouse)
    lock.release()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"there is no rule whom to tell; write \[alerts.mail\]"),
        ("[alerts.mail]\n", "it does not say to whom"),
        ("[alerts.mail]\nto = 'mailto://me:pa55word@example.com'\n", r"to is not the name of a key; .*\[alerts.mail\]"),
        ("[alerts.mail]\nto = 'K'\nwhat = ['latte']\n", "no fault is called 'latte'; .*did you mean 'late'"),
        ("[alerts.mail]\nto = 'K'\nwhat = 'late'\n", "what is no such value"),
        ("[alerts.mail]\nto = 'K'\nwhat = [1]\n", "what is no such value"),
        ("[alerts.mail]\nto = 'K'\nafter_hours = -1\n", "after_hours is -1"),
        ("[alerts.mail]\nto = 'K'\nafter = 2\n", "there is no setting 'after'; .*after_hours"),
        ("[alerts]\nto = 'K'\n", "alerts has tables, one for each rule"),
        ("[alerts.mail]\nto = 'NOBODY_SET_IT'\n", "the key NOBODY_SET_IT is not set"),
        ("[alerts.mail]\nto = 'NO_ADDRESS'\n", "the key NO_ADDRESS holds no address of one channel"),
    ],
)
def test_rules_that_make_no_sense(
    made: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    warehouse, _ = made
    monkeypatch.setenv("NO_ADDRESS", "nosuch://pa55word")
    write(warehouse, text)
    with pytest.raises(UsageError, match=words) as caught:
        told(warehouse)
    assert "pa55word" not in str(caught.value)


def test_a_rule_without_its_key_keeps_nobody_else_from_being_told(
    made: tuple[Warehouse, FakeVendor], mailbox: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (warehouse, _), (box, address) = made, mailbox
    monkeypatch.setenv("ALERT_MAIL", address)
    write(warehouse, "[alerts.chat]\nto = 'NOBODY_SET_IT'\n[alerts.mail]\nto = 'ALERT_MAIL'\n")
    warehouse.clock.advance(hours=25)
    chat, mail = told(warehouse)
    assert (chat.sent, mail.sent) == (Sent.FAILED, Sent.TOLD) and len(box.mails) == 1
    assert "the key NOBODY_SET_IT is not set" in chat.why
    monkeypatch.setenv("NOBODY_SET_IT", address)
    assert [one.sent for one in told(warehouse)] == [Sent.TOLD, Sent.NOTHING]


def test_without_the_library_it_says_what_to_install(
    made: tuple[Warehouse, FakeVendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, _ = made
    monkeypatch.setenv("ALERT_MAIL", "json://127.0.0.1:9/")
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(UsageError, match=r'alerts need a library; pip install "sbf\[alerts\]"'):
        told(warehouse)
