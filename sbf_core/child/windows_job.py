"""Windows: a job holds a process and all that it starts, and ends with the last handle to it, so also with us."""

from __future__ import annotations

import subprocess
import sys


class Job:
    """The job of one process, which must not have started others yet. Does nothing on other systems.

    It is a help, not a condition: a system that refuses a job (an old one within another job) still has the process.

    Args:
        process: what is put into it.
        memory_bytes: what each of its processes may commit at most; 0: no limit.
    """

    def __init__(self, process: subprocess.Popen[bytes], *, memory_bytes: int = 0) -> None:
        self._handle: int | None = None
        if sys.platform == "win32":
            self._handle = _job_of(process, memory_bytes)

    def end(self) -> None:
        """End all processes of the job."""
        handle, self._handle = self._handle, None
        if sys.platform == "win32" and handle is not None:
            kernel = _kernel()
            kernel.TerminateJobObject(handle, 1)
            kernel.CloseHandle(handle)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _EXTENDED_LIMITS = 9
    _LIMIT_PROCESS_MEMORY = 0x100
    _LIMIT_KILL_ON_CLOSE = 0x2000

    class _Basic(ctypes.Structure):
        """JOBOBJECT_BASIC_LIMIT_INFORMATION of winnt.h."""

        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64), ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD), ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t), ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t), ("PriorityClass", wintypes.DWORD), ("SchedulingClass", wintypes.DWORD),
        )  # fmt: skip

    class _Extended(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION of winnt.h; the six counters are IO_COUNTERS."""

        _fields_ = (
            ("BasicLimitInformation", _Basic), ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t), ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t), ("PeakJobMemoryUsed", ctypes.c_size_t),
        )  # fmt: skip

    def _kernel() -> ctypes.WinDLL:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
        kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        kernel.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
        kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
        return kernel

    def _job_of(process: subprocess.Popen[bytes], memory_bytes: int) -> int | None:
        kernel = _kernel()
        job = kernel.CreateJobObjectW(None, None)
        if not job:
            return None
        limits = _Extended()
        limits.BasicLimitInformation.LimitFlags = _LIMIT_KILL_ON_CLOSE
        if memory_bytes:
            limits.BasicLimitInformation.LimitFlags |= _LIMIT_PROCESS_MEMORY
            limits.ProcessMemoryLimit = memory_bytes
        told = kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
        # Popen keeps the handle there on Windows alone; the types of this system do not know it
        if not told or not kernel.AssignProcessToJobObject(job, int(process._handle)):  # type: ignore[attr-defined]
            kernel.CloseHandle(job)
            return None
        return int(job)
