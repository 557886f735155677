"""The most memory this process ever held; what `resource` reports would include its parent's."""

from pathlib import Path


def peak_mb() -> float:
    """The peak of the resident memory since the start of the process, or since `reset_peak`."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def reset_peak() -> float:
    """Forget the peak so far; returns what the process holds now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak_mb()
