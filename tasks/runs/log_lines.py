"""Which lines of Prefect's log an analyst sees: those of the run itself, once, and any other trouble."""

import logging

LOGGED = "was_logged"  # set on an error once it is in the log
END = "ends_the_run"  # set on the log line that says how the run ended
ENDS = {END: True}
REPEATS = (  # errors Prefect logs although the run reports them itself
    "Task run failed with", "Finished in state Failed", "Parameter validation failed for flow",
)  # fmt: skip


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line says something that neither the run itself reports nor its page in Prefect's UI shows."""
    if record.levelno <= logging.INFO:
        return getattr(record, END, False)
    error = record.exc_info[1] if record.exc_info else None
    repeats = record.levelno >= logging.ERROR and str(record.msg).startswith(REPEATS)
    return not getattr(error, LOGGED, False) and not repeats
