"""The life of a low-stock alert: open, snoozed by a person, covered by goods on their way, resolved; told once.

    none, resolved -> open      stock falls below the reorder point and nothing on its way brings it back
    none, resolved -> covered   it falls below, and what is on its way brings it back
    open -> covered             goods on their way bring the stock to where the alert would close
    covered -> open             they come too late or not at all: with them the stock stays below the reorder point
    open, covered -> snoozed    a person says until when
    snoozed -> open, covered    that moment has come
    any -> resolved             stock is `resolve_factor` times the reorder point

Stock is here what nobody was promised, less what paid orders wait for: below zero where more was sold than exists.
Between the reorder point and where an alert closes it leaves the alert as it is: stock that swings there gives one.
"""

from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import numpy as np
import pandas as pd

from tasks.domain.first_reason import first_reason
from tasks.domain.states import AlertKind, AlertState

ACTIVE = (AlertState.OPEN, AlertState.SNOOZED, AlertState.COVERED)
DIGESTED = (AlertKind.OVERSELL, AlertKind.LOW_STOCK, AlertKind.UNKNOWN_SKU, AlertKind.CANCELLED_AFTER_PICK,
            AlertKind.PAID_AFTER_EXPIRY, AlertKind.REFUSED_FILE, AlertKind.QUARANTINED_ROWS,
            AlertKind.DRIFT)  # fmt: skip
DIGEST_LINES_MAX = 50  # lines of a digest; the sheet of alerts has them all
ALERT_SHEET = ("merchant", "alert", "subject", "snooze_until", "set_by", "comment", "state", "detail", "opened_at")


@dataclass(frozen=True)
class AlertRules:
    """How far an alert must be overcome to close, and how often it may be told of."""

    resolve_factor: float  # of the reorder point, from which an alert closes
    quiet_h: float  # an alert that closed and opened again is told of no sooner than so many hours after the last time

    def __post_init__(self) -> None:
        if self.resolve_factor < 1 or self.quiet_h < 0:
            raise ValueError("alerts: resolve_factor is at least 1, quiet_h at least 0")


def next_states(stock: pd.DataFrame, rules: AlertRules, as_of: datetime) -> pd.Series:
    """The state of each product's alert from now on (str); missing where there never was a reason for one.

    `stock`: state (str; missing without an alert), snoozed_until (datetime64[s, UTC]); free (units on hand that are
    promised to nobody), waiting (units paid orders wait for), coming (units on their way in time) and reorder_point,
    all int64.
    """
    point = stock["reorder_point"]
    closes = np.ceil(np.round(point * rules.resolve_factor, 9))
    free = stock["free"] - stock["waiting"]
    active = stock["state"].isin([str(one) for one in ACTIVE])
    alarmed = (free < point) | (active & (free < closes))
    asleep = (stock["state"] == AlertState.SNOOZED) & (stock["snoozed_until"] > pd.Timestamp(as_of))
    then = free + stock["coming"]
    swinging = stock["state"] == AlertState.OPEN
    secured = then >= np.where(swinging, closes, point)
    cases = [
        (alarmed & asleep, AlertState.SNOOZED),
        (alarmed & secured, AlertState.COVERED),
        (alarmed, AlertState.OPEN),
        (active, AlertState.RESOLVED),
    ]
    return first_reason(cases, stock.index).fillna(stock["state"]).astype("str")


def is_due_for_digest(alerts: pd.DataFrame, rules: AlertRules, as_of: datetime) -> pd.Series:
    """Whether each alert belongs in a digest now: open, in no digest since it opened, and not in one just before.

    `alerts`: kind, state, opened_at, told_at. Parcels are looked after elsewhere.
    """
    is_open = alerts["kind"].isin([str(kind) for kind in DIGESTED]) & (alerts["state"] == AlertState.OPEN)
    is_first, is_reopened = alerts["told_at"].isna(), alerts["opened_at"] > alerts["told_at"]
    is_rested = alerts["told_at"] <= pd.Timestamp(as_of) - pd.Timedelta(hours=rules.quiet_h)
    return is_open & (is_first | (is_reopened & is_rested))


def digests(alerts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """One notice per merchant of its alerts: merchant, subject (str, the same for the same alerts), alerts, more.

    `alerts`: merchant, cause, kind, subject, detail. The column alerts is a list of what, subject and detail; more is
    the number of alerts that are not in it.
    """
    rows = []
    for merchant, own in alerts.sort_values(["merchant", "kind", "subject", "cause"]).groupby("merchant"):
        lines = [{"what": kind.replace("_", " "), "subject": subject, "detail": detail} for kind, subject, detail in
                 zip(own["kind"], own["subject"], own["detail"], strict=True)]  # fmt: skip
        marks = crc32("\n".join(own["cause"]).encode())
        subject, more = f"{as_of:%Y%m%dT%H%M%SZ}-{marks:08x}", max(0, len(lines) - DIGEST_LINES_MAX)
        rows.append({"merchant": merchant, "subject": subject, "alerts": lines[:DIGEST_LINES_MAX], "more": more})
    return pd.DataFrame(rows, columns=["merchant", "subject", "alerts", "more"])


def alert_sheet(live: pd.DataFrame) -> pd.DataFrame:
    """Alerts as a sheet to answer in, columns ALERT_SHEET; it goes to inbox/snoozes. `live`: as in `live_alerts`."""
    rows = live.rename(columns={"kind": "alert", "snoozed_until": "snooze_until", "snoozed_by": "set_by"})
    return rows[list(ALERT_SHEET)].sort_values(["merchant", "alert", "subject"], ignore_index=True)


def judge_snoozes(rows: pd.DataFrame, alerts: pd.DataFrame, as_of: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which alerts are to be silent, and which rows are refused; a row that says nothing new is in neither.

    `rows`: row_number, merchant_id, alert, subject, snooze_until, set_by, comment. `alerts`: alert_id, merchant_id,
    alert, subject, state, until_now, none of them closed. Gives the good rows with alert_id; row_number and reason.
    """
    key = ["merchant_id", "alert", "subject"]
    latest = alerts.drop_duplicates(key, keep="last")
    both = rows[rows["snooze_until"].notna()].merge(latest, on=key, how="left", indicator="known")
    is_unchanged = (both["state"] == AlertState.SNOOZED) & (both["until_now"] == both["snooze_until"])
    cases = [
        (is_unchanged, ""),
        (both["known"] != "both",
         "subject: found '" + both["subject"] + "', expected an alert of " + both["alert"] + " that is not closed"),
        (both["set_by"].fillna("").str.strip() == "", "set_by: found '', expected the name of who decides"),
        (both["snooze_until"] <= pd.Timestamp(as_of),
         "snooze_until: found '" + both["snooze_until"].dt.strftime("%Y-%m-%d %H:%M UTC")
         + "', expected a moment to come"),
    ]  # fmt: skip
    why = first_reason(cases, both.index)
    refused = pd.DataFrame({"row_number": both["row_number"], "reason": why})[why.notna() & (why != "")]
    good = both[why.isna()].astype({"alert_id": "int64"})
    return good.reset_index(drop=True), refused.reset_index(drop=True)
