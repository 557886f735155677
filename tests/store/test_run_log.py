"""The audit trail."""

from datetime import UTC, datetime

from sqlalchemy import Engine, func, select

from tasks.store.run_log import log
from tasks.store.schema import run_log

AS_OF = datetime(2026, 9, 7, 18, tzinfo=UTC)


def test_a_step_on_the_same_input_is_logged_once(store: Engine) -> None:
    """A second run leaves the trail as it was; another input is another entry."""
    with store.begin() as connection:
        for fingerprint, new in (("a", True), ("a", False), ("b", True)):
            assert new is log(
                connection, flow="plan-waves", step="plan", as_of=AS_OF, fingerprint=fingerprint, rows_in=5, rows_out=2
            )
        assert connection.execute(select(func.count()).select_from(run_log)).scalar_one() == 2
