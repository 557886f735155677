"""Which lines of Prefect's log an analyst is shown: what the run itself says, once, and what goes wrong beside it."""

import logging

TOLD = "was_told"  # an error carries it from its first line in the log on
END = "ends_the_run"  # a line of the log that says how the run ended
ENDS = {END: True}
REPEATS = (  # Prefect's errors of what the run will say itself
    "Task run failed with", "Finished in state Failed", "Parameter validation failed for flow",
)  # fmt: skip


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line says something that neither the run itself tells nor its page in Prefect's UI shows."""
    if record.levelno <= logging.INFO:
        return getattr(record, END, False)
    error = record.exc_info[1] if record.exc_info else None
    repeats = record.levelno >= logging.ERROR and str(record.msg).startswith(REPEATS)
    return not getattr(error, TOLD, False) and not repeats
