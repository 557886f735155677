"""Figures of the floor: counted records, shrinkage, picks, inspected parcels, files taken in (K4, K5, K12).

Frames as `tasks.store.reporting.order_facts` documents them, limited to the period.
"""

import pandas as pd

from tasks.domain.reporting.figures import Figure, Mistake, Period, share

_PLACE = ["warehouse", "location", "merchant", "sku", "condition", "lot"]
CONTENT_FAULTS = ("wrong_item", "wrong_quantity", "missing_item", "extra_item", "missing", "unexpected", "quantity",
                  "short", "over")  # fmt: skip


def record_accuracy(counted: pd.DataFrame, when: Period) -> list[Figure]:
    """K4. Hit or miss per counted place, never netted; by line and by absolute value, over all and by ABC class.

    `counted`: warehouse, location, merchant, sku, condition, lot, abc_class str, counted_at, expected, counted_units,
    difference int64, within_tolerance bool, unit_cost_minor. Stock found where the record says nothing is a miss at
    any tolerance.
    """
    found = (counted["expected"] <= 0) & (counted["difference"] != 0)
    rows = counted.assign(counted=counted["within_tolerance"] & ~found)
    rows = rows.sort_values([*_PLACE, "counted_at"], ignore_index=True)
    day, nothing = when.days(rows["counted_at"]), "nothing was counted"
    about = "Counted places whose record was within tolerance, of all places counted in these days; differences are "
    about += "never netted, and stock found where the record said nothing is a miss."
    figures = [share("record_accuracy", "Record accuracy", Mistake.RECORDS, about, rows, day=day, nothing=nothing)]
    for letter in sorted(set(rows["abc_class"].dropna()) & set("ABC")):
        of_class = rows[rows["abc_class"] == letter]
        key, name = f"record_accuracy_{letter.lower()}", f"Record accuracy, class {letter}"
        said = f"The same, for products of class {letter}."
        figures.append(share(key, name, Mistake.RECORDS, said, of_class, day=day[of_class.index]))
    return [*figures, _accuracy_by_value(rows, day)]


def _accuracy_by_value(rows: pd.DataFrame, day: pd.Series) -> Figure:
    cost = rows["unit_cost_minor"].astype("Float64")
    valued = rows.assign(
        value=(rows["expected"].clip(lower=0) * cost).astype("Float64"),
        off=(rows["difference"].abs() * cost).astype("Float64"),
    )[cost.notna()]
    kept = valued.assign(right=(valued["value"] - valued["off"]).clip(lower=0))
    return share(
        "record_accuracy_value", "Record accuracy, by value", Mistake.RECORDS,
        "The value recorded less the absolute value of every difference (never below nothing), of the value recorded, "
        "at cost, in these days.",
        kept, day=day[kept.index], weight="value", counted_weight="right",
        nothing="nothing counted has a cost",
    )  # fmt: skip


def shrinkage(counted: pd.DataFrame) -> list[Figure]:
    """K5. What counts found missing and too much: absolute, and net of each other, in units and in value.

    `counted` as for `record_accuracy`, with decision, value_minor and currency; only what was posted is shrinkage.
    """
    posted = counted[(counted["difference"] != 0) & counted["posted"]].assign(counted=True)
    nothing = "" if len(counted) else "nothing was counted"
    units = posted["difference"]
    figures = [
        Figure("shrink_units_net", "Stock adjusted by counts, net", Mistake.RECORDS,
               "Units found less units missing, over all differences posted in these days.",
               float(units.sum()) if not nothing else None, unit="count", missing=nothing, drill=posted),
        Figure("shrink_units_absolute", "Stock adjusted by counts, absolute", Mistake.RECORDS,
               "Units found plus units missing.",
               float(units.abs().sum()) if not nothing else None, unit="count", missing=nothing, drill=posted),
    ]  # fmt: skip
    for currency, rows in posted[posted["value_minor"].notna()].groupby("currency", sort=True):
        value = rows["value_minor"].astype("float64")
        figures += [
            Figure(f"shrink_value_net_{currency}", f"Value adjusted, net ({currency})", Mistake.RECORDS,
                   "The same at cost, what was found against what was missing.", float(value.sum()),
                   unit=f"money {currency}", drill=rows),
            Figure(f"shrink_value_absolute_{currency}", f"Value adjusted, absolute ({currency})", Mistake.RECORDS,
                   "The same at cost, what was found and what was missing added up.", float(value.abs().sum()),
                   unit=f"money {currency}", drill=rows),
        ]  # fmt: skip
    return figures


def picks(stops: pd.DataFrame, when: Period) -> Figure:
    """K12. `stops`: merchant, order_number, sku, location, warehouse, wave, state, short_reason, picked_at."""
    rows = stops.assign(counted=stops["state"] == "short")
    return share("short_pick_rate", "Short picks", Mistake.RECORDS,
                 "Stops at which fewer units lay than planned, of all stops picked in these days.", rows,
                 day=when.days(rows["picked_at"]), nothing="no pick was reported")  # fmt: skip


def inspections(inspected: pd.DataFrame, when: Period) -> list[Figure]:
    """K12. Pick accuracy as the packing bench sees it, and parcels held.

    `inspected`: merchant, order_number, parcel, inspected_at, verdict str, wrong_content, findings int64; only parcels
    that were looked at tell of accuracy.
    """
    seen = inspected[inspected["verdict"] != "not_inspected"]
    day = when.days(seen["inspected_at"])
    return [
        share("pick_accuracy", "Parcels with the right content", Mistake.QUALITY,
              "Inspected parcels that held exactly what was ordered, of all parcels inspected in these days.",
              seen.assign(counted=seen["wrong_content"] == 0), day=day, nothing="no parcel was inspected"),
        share("parcel_hold_rate", "Parcels held", Mistake.QUALITY,
              "Inspected parcels that were held back, of all parcels inspected in these days.",
              seen.assign(counted=seen["verdict"] == "hold"), day=day, nothing="no parcel was inspected"),
        share("inspected_share", "Parcels inspected", Mistake.QUALITY,
              "Parcels that were looked at, of all parcels the sampling plan knew of in these days.",
              inspected.assign(counted=inspected["verdict"] != "not_inspected"),
              day=when.days(inspected["inspected_at"]), nothing="no parcel was packed"),
    ]  # fmt: skip


def imports(files: pd.DataFrame, when: Period) -> list[Figure]:
    """Import health. `files`: kind, file_name, source, layout, state, received_at, rows_in, rows_quarantined."""
    day = when.days(files["received_at"])
    loaded = files[files["state"] == "loaded"]
    return [
        share("quarantine_rate", "Rows quarantined", Mistake.QUALITY,
              "Rows refused, of all rows of the files taken in in these days.",
              loaded.assign(counted=loaded["rows_quarantined"] > 0), day=day[loaded.index], weight="rows_in",
              counted_weight="rows_quarantined", nothing="no file was taken in"),
        share("refused_files", "Files refused", Mistake.QUALITY,
              "Files refused as a whole, of all files delivered in these days.",
              files.assign(counted=files["state"] == "refused"), day=day, nothing="no file was delivered"),
    ]  # fmt: skip
