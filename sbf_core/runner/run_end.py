"""The end of a run, whatever happened in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from sbf_core.duck.engine_errors import kind_of_fault
from sbf_core.errors import SbfError, is_interrupt, told_by
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.service import OpsService
from sbf_core.runs.context import RunContext
from sbf_core.vocabulary import RunStatus


@contextmanager
def closed_by(ops: OpsService, context: RunContext) -> Iterator[None]:
    """Work inside; where that ends with an error, the run is closed as failed, or as interrupted. Whoever ends well
    closes it by ``OpsService.finish_run``.
    """
    try:
        yield
    except BaseException as error:
        is_stopped = is_interrupt(error)
        context.status = RunStatus.INTERRUPTED if is_stopped else RunStatus.FAILED
        kind = FailureKind.INTERRUPTED if is_stopped else kind_of_fault(error)
        context.failures.append(Failure(kind=kind, what="it was stopped" if is_stopped else told_by(error)))
        with suppress(
            duckdb.Error, MemoryError, SbfError
        ):  # the first error is the one to tell; recovery closes the run
            ops.finish_run(context)
        raise


def raise_lacking(context: RunContext, logger: logging.Logger) -> None:
    """Raise what the machine lacked for some datasets, now that the others have gone on.

    Nobody is given the context of a run that raises, so what failed in it is told before.
    """
    if context.lacking:
        for failure in context.failures:
            logger.warning("failed: %s", failure)
        raise context.lacking[0]
