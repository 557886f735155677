"""Problems of the service, for the operations page."""

import pandas as pd

from config.settings import settings
from tasks.service.running_server import served_api


def service_problems() -> pd.DataFrame:
    """One row per failed check of `python -m flows health`: subject, seen; none if no server serves the data folder."""
    lines = []
    if served_api(settings().home):
        from tasks.service.health import health

        lines = [{"subject": one.name, "seen": one.seen} for one in health() if not one.well]
    return pd.DataFrame(lines, columns=["subject", "seen"], dtype="str")
