"""The one place that looks at a clock."""

from datetime import UTC, datetime


def moment(as_of: datetime | None = None) -> datetime:
    """`as_of`, or now, as whole seconds of UTC; a time without a zone is taken as UTC."""
    as_of = as_of or datetime.now(UTC)
    as_of = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    return as_of.astimezone(UTC).replace(microsecond=0)
