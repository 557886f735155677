"""Validates a delivered file with Great Expectations, and builds its Data Docs.

The rows are checked in the domain; their tally and the profile of the file are validated here, in a frame of one row
with one column per measure and one expectation per limit. A broken expectation of severity `critical` refuses the file,
one of severity `warning` only warns. No row of a delivery, and so no customer, reaches the documents.
"""

import html
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.domain.receiving.delivery_limits import GateRules, Profile, Verdict, measures, verdict
from tasks.gates.kept_results import earlier_failures
from tasks.gates.pages import close_off, index_page


class Gate:
    """Judges files and stores the results under `docs/<day>`; Great Expectations is imported for the first new file."""

    def __init__(self, docs: Path, rules: GateRules, as_of: datetime) -> None:
        self.docs = docs / f"{as_of:%Y-%m-%d}"
        self.rules = rules
        self.as_of = as_of
        self.kept: list[Any] = []
        self.judged = False

    def judge(self, kind: str, tally: pd.DataFrame, profile: Profile, name: str = "delivery") -> Verdict:
        """The verdict on the file `name`. `tally` and `profile`: as in `receiving.delivery_limits.measures`."""
        expected = measures(kind, tally, {"as_of": self.as_of.isoformat(), **profile}, self.rules)
        broken = earlier_failures(self.docs, kind, _path_name(name), self.as_of, expected)
        if broken is None:
            result = self._validate(kind, expected)
            broken = sorted(
                outcome.expectation_config.meta["limit"] for outcome in result.results if not outcome.success
            )
            self._keep(kind, _path_name(name), result)
        self.judged = True
        return verdict(expected.iloc[broken])

    def write_docs(self) -> Path | None:
        """Build the new Data Docs and the list of the day's files; None when this gate judged no file."""
        if self.kept:
            self._context.build_data_docs(resource_identifiers=self.kept, build_index=False)
            for page in sorted(self.docs.glob("validations/**/*.html")):
                close_off(page)
            shutil.rmtree(self.docs / "static", ignore_errors=True)  # pictures and fonts that no closed-off page uses
        return index_page(self.docs) if self.judged else None

    @cached_property
    def _context(self) -> Any:
        gx = _great_expectations()
        from great_expectations.data_context.types import base

        config = base.DataContextConfig(
            store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars=base.ProgressBarsConfig(globally=False),
        )
        config.stores["validation_results_store"] = {
            "class_name": "ValidationResultsStore",
            "store_backend": _folder(self.docs / "results"),
        }
        config.data_docs_sites = {
            "deliveries": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": _folder(self.docs),
                "site_section_builders": {"expectations": "none", "profiling": "none"},
            }
        }
        return gx.get_context(mode="ephemeral", project_config=config)

    @cached_property
    def _source(self) -> Any:
        return self._context.data_sources.add_pandas("deliveries")

    def _validate(self, kind: str, expected: pd.DataFrame) -> Any:
        gx = _great_expectations()
        names = [html.escape(name) for name in expected["measure"]]
        frame = pd.DataFrame({name: [value] for name, value in zip(names, expected["value"], strict=True)})
        assets = {asset.name: asset for asset in self._source.assets}
        asset = assets.get(kind) or self._source.add_dataframe_asset(kind)
        whole = {definition.name: definition for definition in asset.batch_definitions}.get("whole")
        whole = whole or asset.add_batch_definition_whole_dataframe("whole")
        limits = zip(names, expected["at_least"], expected["at_most"], expected["refuses"], strict=True)
        expectations = [_expectation(gx, number, *limit) for number, limit in enumerate(limits)]
        suite = gx.ExpectationSuite(name=kind, expectations=expectations)
        return whole.get_batch({"dataframe": frame}).validate(suite, result_format="BASIC")

    def _keep(self, kind: str, name: str, result: Any) -> None:
        """Store a result under the file's name and `as_of`, so that the same file gives the same document."""
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types import resource_identifiers as identifiers

        run = RunIdentifier(run_name=name, run_time=self.as_of)
        suite = identifiers.ExpectationSuiteIdentifier(name=kind)
        for outcome in result.results:
            outcome.expectation_config.id = None
        result.meta = {
            "great_expectations_version": result.meta["great_expectations_version"],
            "run_id": run,
            "validation_time": self.as_of,
            "active_batch_definition": {
                "datasource_name": "deliveries",
                "data_asset_name": kind,
                "batch_identifiers": {},
            },
        }
        key = identifiers.ValidationResultIdentifier(suite, run, batch_identifier=kind)
        self._context.validation_results_store.set(key, result)
        self.kept.append(key)


@contextmanager
def delivery_gate(docs: Path, rules: GateRules, as_of: datetime) -> Iterator[Gate]:
    """The gate of one run: files are judged inside the block, and the Data Docs are built once at its end."""
    gate = Gate(docs, rules, as_of)
    yield gate
    gate.write_docs()


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    return gx


def _folder(path: Path) -> dict[str, object]:
    return {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": str(path.resolve()),
        "suppress_store_backend_id": True,
    }


def _expectation(gx: Any, number: int, column: str, at_least: float, at_most: float, refuses: object) -> Any:
    return gx.expectations.ExpectColumnMaxToBeBetween(
        column=column,
        min_value=None if pd.isna(at_least) else at_least,
        max_value=None if pd.isna(at_most) else at_most,
        severity="critical" if refuses else "warning",
        meta={"limit": number},
    )


def _path_name(name: str) -> str:
    """A file name that is safe in a path and in a page."""
    return re.sub(r"[^\w.-]+", "_", name).lstrip(".") or "delivery"
