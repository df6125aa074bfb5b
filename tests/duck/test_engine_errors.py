"""Whose fault an error of the engine is: every class that it has, and errors that it really raises."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest

from sbf_core.duck.disk import machine_fault
from sbf_core.duck.engine_errors import EngineFault, fault_of
from sbf_core.duck.open_fault import open_fault
from sbf_core.errors import DamageFound, EnvironmentFault, OutOfMemory

INPUT, MEMORY, SYSTEM, STOPPED, UNKNOWN = (
    EngineFault.INPUT, EngineFault.MEMORY, EngineFault.SYSTEM, EngineFault.STOPPED, EngineFault.UNKNOWN,
)  # fmt: skip
#: Every class of DuckDB; what a newer one adds stands here before it is judged.
CLASSES = {
    "Error": UNKNOWN, "Warning": INPUT, "DatabaseError": UNKNOWN, "OperationalError": UNKNOWN, "InternalError": UNKNOWN,
    "InternalException": UNKNOWN, "SerializationException": UNKNOWN, "ConnectionException": UNKNOWN,
    "ResourceInUseException": UNKNOWN, "ProgrammingError": INPUT, "BinderException": INPUT,
    "CatalogException": INPUT, "ParserException": INPUT, "SyntaxException": INPUT, "InvalidInputException": INPUT,
    "InvalidTypeException": INPUT, "DataError": INPUT, "ConversionException": INPUT, "OutOfRangeException": INPUT,
    "TypeMismatchException": INPUT, "IntegrityError": INPUT, "ConstraintException": INPUT, "NotSupportedError": INPUT,
    "NotImplementedException": INPUT, "PermissionException": INPUT, "SequenceException": INPUT,
    "DependencyException": INPUT, "IOException": INPUT, "HTTPException": INPUT, "OutOfMemoryException": MEMORY,
    "TransactionException": SYSTEM, "FatalException": SYSTEM, "InterruptException": STOPPED,
}  # fmt: skip


def test_every_class_of_the_engine_is_judged() -> None:
    there = {
        name
        for name in dir(duckdb)
        if isinstance(getattr(duckdb, name), type) and issubclass(getattr(duckdb, name), Exception)
    }
    assert there - CLASSES.keys() == set()
    for name in there:
        assert (name, fault_of(getattr(duckdb, name)("text"))) == (name, CLASSES[name])


@pytest.mark.parametrize(
    "text", ["checksum", "Corrupt database", "No space left on device", "Could not read enough bytes"]
)
def test_no_text_of_a_payload_is_read(text: str) -> None:
    """What a vendor writes stands in the message of a cast; it must not look like a broken disk."""
    with duckdb.connect() as conn, pytest.raises(duckdb.ConversionException, match=text) as raised:
        conn.execute("SELECT CAST(? AS INTEGER)", [text])
    assert fault_of(raised.value) is INPUT


def test_too_little_memory_is_the_machine_s_fault() -> None:
    with (
        duckdb.connect(config={"memory_limit": "1MB", "temp_directory": "", "max_temp_directory_size": "0KB"}) as conn,
        pytest.raises(duckdb.OutOfMemoryException) as raised,
    ):
        conn.execute("CREATE TABLE t AS SELECT range AS n, random()::VARCHAR AS x FROM range(1000000)")
    assert fault_of(raised.value) is MEMORY
    for error in (raised.value, MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")):
        told = machine_fault(error, Path("sbf.duckdb"))
        assert isinstance(told, EnvironmentFault)
    assert isinstance(machine_fault(MemoryError(), Path("sbf.duckdb")), OutOfMemory)


def test_other_errors_of_the_system_and_the_file() -> None:
    assert fault_of(OSError(errno.ENOSPC, "")) is SYSTEM
    assert fault_of(FileNotFoundError(errno.ENOENT, "")) is INPUT
    assert fault_of(duckdb.IOException("Could not write file: No space left on device")) is SYSTEM
    assert fault_of(KeyboardInterrupt()) is STOPPED
    assert fault_of(RuntimeError("can't start new thread")) is MEMORY
    assert fault_of(RuntimeError("can't start new thread, said a vendor")) is INPUT
    assert fault_of(ValueError("of a hook")) is INPUT
    damage = duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2")
    assert fault_of(damage) is EngineFault.DAMAGE
    assert isinstance(machine_fault(damage, Path("sbf.duckdb")), DamageFound)
    assert machine_fault(duckdb.InternalException("a bug"), Path("sbf.duckdb")) is None


def test_too_little_memory_to_open_is_no_fault_of_the_database(tmp_path: Path) -> None:
    told = open_fault(
        duckdb.OutOfMemoryException("could not allocate block"), tmp_path / "sbf.duckdb", holder=tmp_path / "holder"
    )
    assert isinstance(told, OutOfMemory)
    assert told.exit_code == 6
