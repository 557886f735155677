"""Steps of inspect-parcels: judge packed parcels, draw those to open by hand, hold those that may not leave."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import add_rows
from tasks.domain.parcels.inspection import InspectionRules, parcel_findings, verdicts
from tasks.domain.parcels.parcel_contents import ShipmentRules
from tasks.domain.parcels.procedures import Procedure
from tasks.domain.parcels.sampling import sampled_units
from tasks.domain.states import Verdict
from tasks.runs.artifact_tables import records
from tasks.runs.step import step
from tasks.store.database.engine import engine, exclusive
from tasks.store.parcels import inspections, parcel_alerts, parcel_contents

PARCEL_KEY = ["merchant", "parcel"]  # names a parcel in the documents


@dataclass(frozen=True)
class InspectedParcels:
    """The parcels a run judged (parcel, order, verdict, findings, by_hand), and the number of findings."""

    parcels: pd.DataFrame
    findings: int

    def count(self, verdict: str) -> int:
        """The number of parcels with this verdict."""
        return int((self.parcels["verdict"] == verdict).sum())


@step(task_run_name="judge packed parcels")
def judge_parcels(as_of: datetime) -> InspectedParcels:
    """Judge every packed parcel once: write verdicts, findings and documents, and release or hold it.

    All in one transaction. The documents are written before the commit, so that every judged parcel is in one.
    """
    rules, procedure = read("rules/inspection.yaml", InspectionRules), read("procedures/packing.yaml", Procedure)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        parcels = inspections.uninspected_parcels(connection)
        if parcels.empty:
            return InspectedParcels(pd.DataFrame(columns=["parcel", "order", "verdict", "findings", "by_hand"]), 0)
        content = inspections.content_of(connection, parcels)
        parts = parcel_contents.parts_of(connection, parcels["order_id"])
        findings = parcel_findings(parcels, content, parts, procedure, rules, as_of)
        judged = parcels.assign(verdict=verdicts(parcels, content, findings))
        members = inspections.wave_members(connection, parcels["wave_id"])
        judged = judged.join(sampled_units(_units(judged, as_of), _units(members, as_of), rules.sampling))
        judged["plan"] += f"; procedure {procedure.procedure} version {procedure.version}"
        inspections.write_inspections(connection, judged, findings, as_of)
        rows = _inspection_rows(judged, findings)
        _write_documents(rows, as_of)
    return InspectedParcels(rows, len(findings))


@step(task_run_name="warn of held parcels")
def warn_of_held_parcels(as_of: datetime) -> tuple[int, int]:
    """Open an alert for each held parcel, and close those of parcels that are no longer held."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        return parcel_alerts.refresh_parcel_alerts(connection, rules, as_of)


def inspection_table(judged: InspectedParcels) -> list[dict[str, str]]:
    """Parcels held or opened by hand as rows of an artifact."""
    parcels = judged.parcels[judged.parcels["by_hand"].astype(bool) | (judged.parcels["verdict"] == Verdict.HOLD)]
    listed = parcels.sort_values(["verdict", "parcel"])[["parcel", "order", "verdict", "findings", "by_hand"]]
    return records(listed)


def _units(rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The lot and unit of each row: an order of its wave, or a parcel of this run where there is no wave."""
    in_wave = rows["wave"].notna()
    name = rows["order_number"].where(in_wave, rows["parcel"]) if "parcel" in rows else rows["order_number"]
    lot = ("wave " + rows["wave"]).fillna(f"run {as_of:%Y-%m-%dT%H:%M:%SZ}")
    return pd.DataFrame({"lot": lot.astype("str"), "unit": (rows["merchant"] + ":" + name).astype("str")})


def _inspection_rows(judged: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    text = findings["severity"] + ": " + findings["code"] + " " + findings["subject"]
    text += ", expected " + findings["expected"] + ", found " + findings["found"]
    by_parcel = text.groupby(findings["shipment_id"]).agg("; ".join)
    rows = judged.rename(columns={"order_number": "order"})
    rows["findings"] = rows["shipment_id"].map(by_parcel).astype("str").fillna("")
    names = ["merchant", "parcel", "order", "verdict", "findings", "plan", "seed", "by_hand"]
    return rows[names].sort_values(["merchant", "parcel"]).reset_index(drop=True)


def _write_documents(rows: pd.DataFrame, as_of: datetime) -> None:
    folder = settings().documents("inspect-parcels", as_of)
    inspected = rows[["merchant", "parcel", "order", "verdict", "findings"]]
    drawn = rows.loc[rows["by_hand"], ["merchant", "parcel", "order", "plan", "seed"]]
    add_rows(folder / "inspected.csv", inspected, PARCEL_KEY)
    add_rows(folder / "holds.csv", inspected[rows["verdict"] == Verdict.HOLD], PARCEL_KEY)
    add_rows(folder / "sample.csv", drawn.assign(to_do="open and check by hand"), PARCEL_KEY)
