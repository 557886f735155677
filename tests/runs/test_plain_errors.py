"""What an error says to an analyst."""

import pytest
from prefect.exceptions import ParameterTypeError

from config.read import ConfigError
from tasks.inbox.delivered_files import UnreadableExportError
from tasks.runs.plain_errors import explained, unexpected

WRONG = (
    "Flow run received invalid parameters:\n - days: Input should be a valid integer, unable to parse string\n - x: y"
)

WRONG_ITEM = "Flow run received invalid parameters:\n - kinds.0: found 'x', expected one of orders, packs"


@pytest.mark.parametrize(
    ("error", "parameters", "said"),
    [
        (ConfigError("gates.yaml: rows: found 3, expected 4"), {}, "gates.yaml: rows: found 3, expected 4"),
        (ConfigError("one\ntwo\nthree"), {}, "one (and 2 more: see the log)"),
        (UnreadableExportError("the file is empty"), {}, "the file is empty"),
        (ParameterTypeError(WRONG), {"days": "soon"},
         "days: found 'soon', expected a valid integer (and 1 more: see the log)"),
        (ParameterTypeError(WRONG_ITEM), {"kinds": ["x"]}, "kinds: found 'x', expected one of orders, packs"),
        (KeyError("NROTH"), {"warehouse": "NROTH", "carrier": None},
         "warehouse: found 'NROTH', expected a known one"),
        (ValueError("Jane Roe"), {"warehouse": "MAIN"}, None),
        (KeyError("sku"), {"warehouse": None}, None),
        (TypeError("MAIN"), {"warehouse": "MAIN"}, None),
    ],
)  # fmt: skip
def test_an_error_is_explained_or_was_not_foreseen(
    error: Exception, parameters: dict[str, object], said: str | None
) -> None:
    """Ours in its own words, a parameter's by its name; of any other nothing is quoted."""
    assert explained(error, parameters) == said
    assert "Jane" not in unexpected(error)
