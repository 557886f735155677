"""Steps of inspect-parcels: judge what was packed, choose what is opened by hand, hold what may not go."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import add_rows
from tasks.domain.parcels.inspection import InspectionRules, inspect, verdicts
from tasks.domain.parcels.parcel_contents import ShipmentRules
from tasks.domain.parcels.procedures import Procedure
from tasks.domain.parcels.sampling import draw_lots
from tasks.domain.states import Verdict
from tasks.runs.artifact_tables import records
from tasks.runs.step import step
from tasks.store.database.engine import engine, exclusive
from tasks.store.parcels import inspections, parcel_alerts, parcel_contents

KEY = ["merchant", "parcel"]  # names a parcel in the documents


@dataclass(frozen=True)
class Judged:
    """What a run decided: parcel, order, verdict, findings, and whether the parcel is opened by hand."""

    parcels: pd.DataFrame
    findings: int

    def count(self, verdict: str) -> int:
        """How many parcels got this verdict."""
        return int((self.parcels["verdict"] == verdict).sum())


@step(task_run_name="judge packed parcels")
def judge_parcels(as_of: datetime) -> Judged:
    """Judge every packed parcel once; write verdicts, findings and documents, release or hold, in one transaction.

    The documents are written before the commit: a parcel that is judged is in one.
    """
    rules, procedure = read("rules/inspection.yaml", InspectionRules), read("procedures/packing.yaml", Procedure)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        parcels = inspections.uninspected(connection)
        if parcels.empty:
            return Judged(pd.DataFrame(columns=["parcel", "order", "verdict", "findings", "by_hand"]), 0)
        content = inspections.content_of(connection, parcels)
        found = inspect(
            parcels, content, parcel_contents.parts_of(connection, parcels["order_id"]), procedure, rules, as_of
        )
        judged = parcels.assign(verdict=verdicts(parcels, content, found))
        in_waves = inspections.wave_members(connection, parcels["wave_id"])
        judged = judged.join(draw_lots(_units(judged, as_of), _units(in_waves, as_of), rules.sampling))
        judged["plan"] += f"; procedure {procedure.procedure} version {procedure.version}"
        inspections.write_inspections(connection, judged, found, as_of)
        told = _told(judged, found)
        _write(told, as_of)
    return Judged(told, len(found))


@step(task_run_name="warn of held parcels")
def warn_of_held_parcels(as_of: datetime) -> tuple[int, int]:
    """Open an alert for each held parcel, close those of parcels that are not held any more."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        return parcel_alerts.refresh(connection, rules, as_of)


def inspection_table(judged: Judged) -> list[dict[str, str]]:
    """Parcels held or opened by hand as rows of an artifact."""
    parcels = judged.parcels[judged.parcels["by_hand"].astype(bool) | (judged.parcels["verdict"] == Verdict.HOLD)]
    listed = parcels.sort_values(["verdict", "parcel"])[["parcel", "order", "verdict", "findings", "by_hand"]]
    return records(listed)


def _units(rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The lot of each row and its unit: an order of its wave, or else a parcel of those judged in this run."""
    waved = rows["wave"].notna()
    name = rows["order_number"].where(waved, rows["parcel"]) if "parcel" in rows else rows["order_number"]
    lot = ("wave " + rows["wave"]).fillna(f"run {as_of:%Y-%m-%dT%H:%M:%SZ}")
    return pd.DataFrame({"lot": lot.astype("str"), "unit": (rows["merchant"] + ":" + name).astype("str")})


def _told(judged: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    words = found["severity"] + ": " + found["code"] + " " + found["subject"]
    words += ", expected " + found["expected"] + ", found " + found["found"]
    told = judged.rename(columns={"order_number": "order"})
    told["findings"] = (
        told["shipment_id"].map(words.groupby(found["shipment_id"]).agg("; ".join)).astype("str").fillna("")
    )
    names = ["merchant", "parcel", "order", "verdict", "findings", "plan", "seed", "by_hand"]
    return told[names].sort_values(["merchant", "parcel"]).reset_index(drop=True)


def _write(told: pd.DataFrame, as_of: datetime) -> None:
    folder = settings().documents("inspect-parcels", as_of)
    plain = told[["merchant", "parcel", "order", "verdict", "findings"]]
    drawn = told.loc[told["by_hand"], ["merchant", "parcel", "order", "plan", "seed"]]
    add_rows(folder / "inspected.csv", plain, KEY)
    add_rows(folder / "holds.csv", plain[told["verdict"] == Verdict.HOLD], KEY)
    add_rows(folder / "sample.csv", drawn.assign(to_do="open and check by hand"), KEY)
