"""What is wrong with the service, for the operations page."""

import pandas as pd

from config.prefect_environment import SERVER_FILE
from config.settings import settings


def service_problems() -> pd.DataFrame:
    """What `python -m flows health` finds not well: subject, seen. Nothing where the data folder is not served."""
    lines = []
    if (settings().home / ".prefect" / SERVER_FILE).exists():
        from tasks.service.health import health

        lines = [{"subject": one.name, "seen": one.seen} for one in health() if not one.well]
    return pd.DataFrame(lines, columns=["subject", "seen"], dtype="str")
