"""What is wrong with a packed parcel, how serious that is, and whether the parcel may leave."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd

from tasks.domain.ordering.order_states import is_held, is_refunded
from tasks.domain.parcels.parcel_contents import explode_kits
from tasks.domain.parcels.procedures import Procedure, unconfirmed_steps
from tasks.domain.parcels.sampling import SamplingRules
from tasks.domain.states import Severity, Verdict


class FindingCode(StrEnum):
    """What can be wrong with a parcel."""

    ORDER_NOT_TO_SHIP = "order_not_to_ship"
    WRONG_ITEM = "wrong_item"
    MISSING_ITEM = "missing_item"
    EXTRA_ITEM = "extra_item"
    STEP_NOT_CONFIRMED = "step_not_confirmed"
    UNPICKED_ITEM = "unpicked_item"
    WEIGHT_OUT_OF_RANGE = "weight_out_of_range"


@dataclass(frozen=True)
class WeightRules:
    """How far a parcel's weight may be off."""

    tolerance_percent: int
    packaging_g_max: int


@dataclass(frozen=True)
class InspectionRules:
    """The schema of config/rules/inspection.yaml."""

    severities: dict[FindingCode, Severity]
    weight: WeightRules
    sampling: SamplingRules

    def __post_init__(self) -> None:
        missing = [str(code) for code in FindingCode if code not in self.severities]
        if missing:
            raise ValueError(f"severities: {', '.join(missing)} missing")


_FINDING_COLUMNS = ["shipment_id", "code", "subject", "expected", "found"]


def parcel_findings(
    parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame, procedure: Procedure, rules: InspectionRules,
    as_of: datetime,
) -> pd.DataFrame:  # fmt: skip
    """One row per finding in `parcels`: shipment_id, code, severity, subject, expected, found (str).

    `parcels`: shipment_id, order_id, parcel, packed_at, weight_g Int64, checks, cancelled_at, hold_reason, hold_until,
    total_minor Int64, refunded_minor int64. `content`: shipment_id, order_id, line_number Int64, sku, quantity,
    unit_weight_g Int64, for every parcel of their orders. `parts`: columns as in `parcels.parcel_contents`.
    """
    findings = pd.concat(
        [
            _orders_not_to_ship(parcels, as_of),
            _wrong_items(parcels, content),
            _wrong_quantities(parcels, content, parts),
            _unconfirmed_steps(parcels, procedure),
            _weights(parcels, content, rules.weight),
        ],
        ignore_index=True,
    )
    severity = findings["code"].map({str(code): str(severity) for code, severity in rules.severities.items()})
    rank_of_code = {str(code): number for number, code in enumerate(FindingCode)}
    findings = findings.assign(severity=severity.astype("str"), rank=findings["code"].map(rank_of_code))
    findings = findings.sort_values(["shipment_id", "rank", "subject"]).reset_index(drop=True)
    return findings[["shipment_id", "code", "severity", "subject", "expected", "found"]].astype(
        dict.fromkeys(("code", "severity", "subject", "expected", "found"), "str")
    )


def verdicts(parcels: pd.DataFrame, content: pd.DataFrame, findings: pd.DataFrame) -> pd.Series:
    """The verdict on each parcel (str, index of `parcels`): no parcel is released without an inspection.

    A parcel without scans is not inspected; one critical or major finding holds it.
    """
    serious = findings.loc[findings["severity"] != Severity.MINOR, "shipment_id"]
    verdict = pd.Series(str(Verdict.NOT_INSPECTED), index=parcels.index, dtype="str")
    verdict[parcels["shipment_id"].isin(content["shipment_id"])] = str(Verdict.RELEASE)
    verdict[parcels["shipment_id"].isin(serious)] = str(Verdict.HOLD)
    return verdict


def _orders_not_to_ship(parcels: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    reason = pd.Series(pd.NA, index=parcels.index, dtype="str")
    reason[is_held(parcels, as_of).to_numpy()] = "held: " + parcels["hold_reason"]
    reason[is_refunded(parcels).to_numpy()] = "refunded in full"
    reason[parcels["cancelled_at"].notna()] = "cancelled"
    rows = parcels.assign(subject="order", expected="open", found=reason)
    return _finding_rows(FindingCode.ORDER_NOT_TO_SHIP, rows[reason.notna()])


def _wrong_items(parcels: pd.DataFrame, content: pd.DataFrame) -> pd.DataFrame:
    wrong = content[content["line_number"].isna() & content["shipment_id"].isin(parcels["shipment_id"])]
    rows = wrong.assign(subject=wrong["sku"], expected="0", found=wrong["quantity"])
    return _finding_rows(FindingCode.WRONG_ITEM, rows)


def _wrong_quantities(parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Judged per order and SKU over all parcels of the order; reported on the last parcel that could be at fault."""
    stocked = parts[~parts["own"] | ~parts["is_kit"]]
    key = ["order_id", "sku"]
    sums = stocked.assign(ordered=stocked["ordered"] * stocked["per"], picked=stocked["picked"] * stocked["per"])
    sums = sums.groupby(key, as_index=False)[["ordered", "picked"]].sum()
    packed = explode_kits(content[content["line_number"].notna()], parts)
    sums = sums.merge(packed.groupby(key, as_index=False)["quantity"].sum(), on=key, how="left")
    sums = sums.fillna({"quantity": 0}).rename(columns={"sku": "subject", "quantity": "found"})
    sums = sums.astype({"found": "int64"})
    last_with_sku, last_of_order = _last_parcels(parcels, packed)
    sums = sums.merge(last_with_sku, on=["order_id", "subject"], how="left").merge(last_of_order, on="order_id")
    sums["shipment_id"] = sums["holder"].fillna(sums["shipment_id"]).astype("int64")
    is_unpicked = (sums["found"] > sums["picked"]) & (sums["found"] > 0) & (sums["found"] <= sums["ordered"])
    least, most = sums["picked"].clip(upper=sums["ordered"]), sums["ordered"]
    return pd.concat(
        [
            _finding_rows(FindingCode.MISSING_ITEM, sums.assign(expected=least)[sums["found"] < least]),
            _finding_rows(FindingCode.EXTRA_ITEM, sums.assign(expected=most)[sums["found"] > most]),
            _finding_rows(FindingCode.UNPICKED_ITEM, sums.assign(expected=sums["picked"])[is_unpicked]),
        ]
    )


def _last_parcels(parcels: pd.DataFrame, packed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The last of `parcels` that holds a SKU (order_id, subject, holder), and the last of its order."""
    in_order = parcels.sort_values(["packed_at", "parcel"])[["order_id", "shipment_id"]]
    rank = pd.Series(range(len(in_order)), index=in_order["shipment_id"])
    holders = packed[packed["shipment_id"].isin(in_order["shipment_id"])]
    holders = (
        holders.assign(rank=holders["shipment_id"].map(rank))
        .sort_values("rank")
        .drop_duplicates(["order_id", "sku"], keep="last")
        .rename(columns={"sku": "subject", "shipment_id": "holder"})
    )
    return holders[["order_id", "subject", "holder"]], in_order.drop_duplicates("order_id", keep="last")


def _unconfirmed_steps(parcels: pd.DataFrame, procedure: Procedure) -> pd.DataFrame:
    steps = unconfirmed_steps(parcels.set_index("shipment_id")["checks"], procedure)
    rows = steps.rename(columns={"at": "shipment_id", "step": "subject", "answer": "found"})
    return _finding_rows(FindingCode.STEP_NOT_CONFIRMED, rows.assign(expected="yes"))


def _weights(parcels: pd.DataFrame, content: pd.DataFrame, rules: WeightRules) -> pd.DataFrame:
    """Only where the parcel was weighed and the weight of everything in it is known."""
    weight = content["unit_weight_g"].where(content["unit_weight_g"] > 0)
    by_parcel = content.assign(goods=weight * content["quantity"], unknown=weight.isna()).groupby("shipment_id")
    sums = by_parcel.agg(goods=("goods", "sum"), unknown=("unknown", "any"))
    rows = parcels[["shipment_id", "weight_g"]].join(sums, on="shipment_id", how="inner")
    rows = rows[rows["weight_g"].notna() & ~rows["unknown"]].astype({"weight_g": "int64", "goods": "int64"})
    least = rows["goods"] * (100 - rules.tolerance_percent) // 100
    most = rows["goods"] * (100 + rules.tolerance_percent) // 100 + rules.packaging_g_max
    expected = least.astype("str") + " to " + most.astype("str") + " g"
    rows = rows.assign(subject="weight", expected=expected, found=rows["weight_g"].astype("str") + " g")
    return _finding_rows(FindingCode.WEIGHT_OUT_OF_RANGE, rows[~rows["weight_g"].between(least, most)])


def _finding_rows(code: FindingCode, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(code=str(code))[_FINDING_COLUMNS].astype({"expected": "str", "found": "str"})
