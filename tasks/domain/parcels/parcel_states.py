"""The state of a parcel, from what its carrier reported."""

import pandas as pd

from tasks.domain.states import ParcelState

# ── where a parcel is ────────────────────────────────────────────────────────────────────────────────────────────
TRAIL: dict[str, ParcelState] = {  # what a carrier's event makes of a parcel; at the same second the later one counts
    "info_received": ParcelState.SHIPPED,
    "in_transit": ParcelState.IN_TRANSIT,
    "out_for_delivery": ParcelState.IN_TRANSIT,
    "available_for_pickup": ParcelState.IN_TRANSIT,
    "attempt_failed": ParcelState.EXCEPTION,
    "exception": ParcelState.EXCEPTION,
    "lost": ParcelState.LOST,
    "delivered": ParcelState.DELIVERED,
    "returned_to_sender": ParcelState.RETURNED_TO_SENDER,
}


def parcel_states(events: pd.DataFrame) -> pd.DataFrame:
    """Where each parcel is, from everything that was ever said of it, whatever the order in which it was said.

    `events`: shipment_id, code (a key of TRAIL), occurred_at. Gives shipment_id, state, event and happened_at (what
    brought it there, and when), delivered_at (missing where it was not). Events count in the order in which they
    happened. Delivered stays delivered and is only undone by a return to the sender, which is final: what is delivered
    after it was delivered to the sender. A lost parcel that is scanned again is found; the announcement of a parcel
    moves nothing.
    """
    rank = {code: number for number, code in enumerate(TRAIL)}
    said = events.assign(rank=events["code"].map(rank)).sort_values(["shipment_id", "occurred_at", "rank"])
    back = said["code"].eq("returned_to_sender").groupby(said["shipment_id"]).cummax()
    arrived = said["code"].eq("delivered") & ~back
    said["moving"] = said["code"] != "info_received"
    last = said.sort_values(["moving"], kind="stable").groupby("shipment_id")[["code", "occurred_at"]].last()
    gone = last.rename(columns={"code": "event", "occurred_at": "happened_at"})
    gone["state"] = gone["event"].map(TRAIL).map(str).astype("str")
    gone["delivered_at"] = said[arrived].groupby("shipment_id")["occurred_at"].min()
    sticky = {"delivered": gone["delivered_at"]}
    sticky["returned_to_sender"] = (
        said[said["code"] == "returned_to_sender"].groupby("shipment_id")["occurred_at"].min()
    )
    for code, at in sticky.items():
        there = at.reindex(gone.index).notna()
        gone.loc[there, ["state", "event"]] = str(TRAIL[code]), code
        gone.loc[there, "happened_at"] = at
    return gone.reset_index()[["shipment_id", "state", "event", "happened_at", "delivered_at"]]
