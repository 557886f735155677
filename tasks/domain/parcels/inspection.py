"""What is wrong with a packed parcel, how bad that is, and whether the parcel may go."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd

from tasks.domain.ordering.order_states import is_held, is_refunded
from tasks.domain.parcels.parcel_contents import explode
from tasks.domain.parcels.procedures import Procedure, unconfirmed
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


FINDING = ["shipment_id", "code", "subject", "expected", "found"]


def inspect(
    parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame, procedure: Procedure, rules: InspectionRules,
    as_of: datetime,
) -> pd.DataFrame:  # fmt: skip
    """Every finding of the parcels at hand: shipment_id, code, severity, subject, expected, found (str).

    `parcels`: shipment_id, order_id, parcel, packed_at, weight_g Int64, checks, cancelled_at, hold_reason, hold_until,
    total_minor Int64, refunded_minor int64. `content`: shipment_id, order_id, line_number Int64, sku, quantity,
    unit_weight_g Int64, for every parcel of their orders. `parts`: see `tasks.domain.parcels.parcel_contents`.
    """
    found = pd.concat(
        [
            _orders_not_to_ship(parcels, as_of),
            _wrong_items(parcels, content),
            _wrong_quantities(parcels, content, parts),
            _unconfirmed_steps(parcels, procedure),
            _weights(parcels, content, rules.weight),
        ],
        ignore_index=True,
    )
    severity = found["code"].map({str(code): str(severity) for code, severity in rules.severities.items()})
    order = {str(code): number for number, code in enumerate(FindingCode)}
    found = found.assign(severity=severity.astype("str"), rank=found["code"].map(order))
    found = found.sort_values(["shipment_id", "rank", "subject"]).reset_index(drop=True)
    return found[["shipment_id", "code", "severity", "subject", "expected", "found"]].astype(
        dict.fromkeys(("code", "severity", "subject", "expected", "found"), "str")
    )


def verdicts(parcels: pd.DataFrame, content: pd.DataFrame, findings: pd.DataFrame) -> pd.Series:
    """The verdict on each of `parcels` (their index, str): nothing is released that was not looked at.

    A parcel in which nothing was scanned is not inspected; one critical or major finding holds it.
    """
    bad = findings.loc[findings["severity"] != Severity.MINOR, "shipment_id"]
    verdict = pd.Series(str(Verdict.NOT_INSPECTED), index=parcels.index, dtype="str")
    verdict[parcels["shipment_id"].isin(content["shipment_id"])] = str(Verdict.RELEASE)
    verdict[parcels["shipment_id"].isin(bad)] = str(Verdict.HOLD)
    return verdict


def _orders_not_to_ship(parcels: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    why = pd.Series(pd.NA, index=parcels.index, dtype="str")
    why[is_held(parcels, as_of).to_numpy()] = "held: " + parcels["hold_reason"]
    why[is_refunded(parcels).to_numpy()] = "refunded in full"
    why[parcels["cancelled_at"].notna()] = "cancelled"
    return _finding(
        FindingCode.ORDER_NOT_TO_SHIP, parcels.assign(subject="order", expected="open", found=why)[why.notna()]
    )


def _wrong_items(parcels: pd.DataFrame, content: pd.DataFrame) -> pd.DataFrame:
    wrong = content[content["line_number"].isna() & content["shipment_id"].isin(parcels["shipment_id"])]
    return _finding(FindingCode.WRONG_ITEM, wrong.assign(subject=wrong["sku"], expected="0", found=wrong["quantity"]))


def _wrong_quantities(parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Judged over all parcels of an order, per SKU; told of the last of the parcels at hand that could be at fault."""
    stock = parts[~parts["own"] | ~parts["is_kit"]]
    key = ["order_id", "sku"]
    sums = stock.assign(ordered=stock["ordered"] * stock["per"], picked=stock["picked"] * stock["per"])
    sums = sums.groupby(key, as_index=False)[["ordered", "picked"]].sum()
    held = explode(content[content["line_number"].notna()], parts)
    told = sums.merge(held.groupby(key, as_index=False)["quantity"].sum(), on=key, how="left").fillna({"quantity": 0})
    told = told.rename(columns={"sku": "subject", "quantity": "found"}).astype({"found": "int64"})
    last = _last_parcel(parcels, held)
    told = told.merge(last[0], on=["order_id", "subject"], how="left").merge(last[1], on="order_id")
    told["shipment_id"] = told["holder"].fillna(told["shipment_id"]).astype("int64")
    least, most = told["picked"].clip(upper=told["ordered"]), told["ordered"]
    some = told["found"] > 0
    return pd.concat(
        [
            _finding(FindingCode.MISSING_ITEM, told.assign(expected=least)[told["found"] < least]),
            _finding(FindingCode.EXTRA_ITEM, told.assign(expected=most)[told["found"] > most]),
            _finding(FindingCode.UNPICKED_ITEM, told.assign(expected=told["picked"])[
                some & (told["found"] > told["picked"]) & (told["found"] <= most)]),
        ]
    )  # fmt: skip


def _last_parcel(parcels: pd.DataFrame, held: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The last parcel at hand of each order that holds a SKU, and the last of the order."""
    order = parcels.sort_values(["packed_at", "parcel"])[["order_id", "shipment_id"]]
    rank = pd.Series(range(len(order)), index=order["shipment_id"])
    mine = held[held["shipment_id"].isin(order["shipment_id"])]
    mine = (
        mine.assign(rank=mine["shipment_id"].map(rank))
        .sort_values("rank")
        .drop_duplicates(["order_id", "sku"], keep="last")
    )
    holder = mine.rename(columns={"sku": "subject", "shipment_id": "holder"})[["order_id", "subject", "holder"]]
    return holder, order.drop_duplicates("order_id", keep="last")


def _unconfirmed_steps(parcels: pd.DataFrame, procedure: Procedure) -> pd.DataFrame:
    steps = unconfirmed(parcels.set_index("shipment_id")["checks"], procedure)
    told = steps.rename(columns={"at": "shipment_id", "step": "subject", "answer": "found"})
    return _finding(FindingCode.STEP_NOT_CONFIRMED, told.assign(expected="yes"))


def _weights(parcels: pd.DataFrame, content: pd.DataFrame, rules: WeightRules) -> pd.DataFrame:
    """Only where the parcel was weighed and the weight of everything in it is known."""
    weight = content["unit_weight_g"].where(content["unit_weight_g"] > 0)
    each = content.assign(goods=weight * content["quantity"], unknown=weight.isna()).groupby("shipment_id")
    sums = each.agg(goods=("goods", "sum"), unknown=("unknown", "any"))
    told = parcels[["shipment_id", "weight_g"]].join(sums, on="shipment_id", how="inner")
    told = told[told["weight_g"].notna() & ~told["unknown"]].astype({"weight_g": "int64", "goods": "int64"})
    least = told["goods"] * (100 - rules.tolerance_percent) // 100
    most = told["goods"] * (100 + rules.tolerance_percent) // 100 + rules.packaging_g_max
    expected = least.astype("str") + " to " + most.astype("str") + " g"
    told = told.assign(subject="weight", expected=expected, found=told["weight_g"].astype("str") + " g")
    return _finding(FindingCode.WEIGHT_OUT_OF_RANGE, told[~told["weight_g"].between(least, most)])


def _finding(code: FindingCode, rows: pd.DataFrame) -> pd.DataFrame:
    made = rows.assign(code=str(code))[FINDING]
    return made.astype({"expected": "str", "found": "str"})
