"""Readers of the published instances of picker routing and order batching, with what their files do not say.

Cell 0 lies next to the top cross-aisle: the depot's side is the front, so places are measured from the bottom. Muter
and Oncan's best values need 1.5 from the outermost cell to the cross-aisle where their files say 1.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.tour_lengths import BatchingProblem, batching_problem
from tasks.domain.picking.routing.floor import Floor, on_floor

MUTER_ONCAN_END_M = 1.5


@dataclass(frozen=True)
class Instance:
    """A floor, what lies where, and what is to be picked.

    `places`: article (int64), quantity, subaisle (int64), along_m. `demand`: units by article, of one picker.
    `orders`: order (int64, from 0), article, quantity. `load`: of each order, in units of the capacity (int64).
    `matrix`: the metres between places (column vertex of `places`; the depot is 0) where the file tells them.
    """

    floor: Floor
    places: pd.DataFrame
    demand: np.ndarray
    orders: pd.DataFrame
    load: np.ndarray
    capacity: int
    matrix: np.ndarray | None = None


def lines_of(instance: Instance) -> pd.DataFrame:
    """Each line of each order, with where its article lies."""
    return instance.orders.merge(instance.places.drop(columns="quantity"), on="article")


def picking_of_instance(instance: Instance) -> BatchingProblem:
    """The orders to be batched, as the search takes them."""
    lines = lines_of(instance)
    at = (lines["order"].to_numpy(), lines["subaisle"].to_numpy(), lines["along_m"].to_numpy())
    return batching_problem(instance.floor, *at, instance.load[:, None], np.array([instance.capacity]))


def read_instance(path: Path, *, blocks: int = 1) -> Instance:
    """Read an instance in the form of Hessler and Irnich (key : value, then sections), or of Valle and others."""
    text = path.read_text(encoding="latin-1")
    if text.startswith("//"):
        return _foodmart(text)
    header = dict(re.findall(r"^(\w+) : *(.*?)\s*$", text, re.MULTILINE))
    floor, along = _floor(header, blocks)
    rows = re.findall(r"^ID (\d+) AISLE (\d+) CELL (\d+) QUANTITY (\d+)", text, re.MULTILINE)
    places = pd.DataFrame(rows, columns=["article", "aisle", "cell", "quantity"]).astype("int64")
    across = np.asarray(floor.aisles_m)[places["aisle"]]
    subaisle, along_m = on_floor(floor, across, along[places["cell"]])
    weights = np.array(re.findall(r"^ID \d+ WEIGHT (\d+)", text, re.MULTILINE), dtype="int64")
    orders = _orders(text)
    load = weights[orders["article"]] * orders["quantity"] if len(weights) else orders["quantity"]
    return Instance(
        floor,
        places.assign(subaisle=subaisle, along_m=along_m),
        np.bincount(orders["article"], orders["quantity"], minlength=int(header["NUM_ARTICLES"])).astype("int64"),
        orders,
        load.groupby(orders["order"]).sum().to_numpy(),
        int(header.get("PICKER_CAPACITY", 0)),
    )


def _floor(header: dict[str, str], blocks: int) -> tuple[Floor, np.ndarray]:
    """The floor, and the metres from the front of each cell."""
    cells, pitch = int(header["NUM_CELLS"]), float(header["DISTANCE_CELL_TO_CELL"])
    top, bottom = (float(header[f"DISTANCE_{end}_TO_CELL"]) for end in ("TOP", "BOTTOM"))
    if "Muter" in header.get("COMMENT", ""):
        top = bottom = MUTER_ONCAN_END_M
    wide, aisles = float(header["DISTANCE_AISLE_TO_AISLE"]), int(header["NUM_AISLES"])
    along = bottom + pitch * np.arange(cells - 1, -1, -1.0)
    crosses = [0.0, along[0] + top]
    if blocks == 2:  # the middle cross-aisle is one pitch from the cells on either side of it
        along[: cells // 2] += 1
        crosses = [0.0, (along[cells // 2 - 1] + along[cells // 2]) / 2, crosses[1] + 1]
    depot = 0 if header["DEPOT_LOCATION"] == "bottom" else blocks
    return Floor(tuple(wide * at for at in range(aisles)), tuple(crosses), int(header["DEPOT_AISLE"]), depot), along


def _orders(text: str) -> pd.DataFrame:
    listed = text[text.index("ORDER_SECTION") :]
    each = re.split(r"NUM_ARTICLES_IN_ORDER|NUM_ARTICLES", listed)[1:]
    lines_by_order = [re.findall(r"^ID (\d+) QUANTITY (\d+)", one, re.MULTILINE) for one in each]
    rows = [(number, *line) for number, lines in enumerate(lines_by_order) for line in lines]
    return pd.DataFrame(rows, columns=["order", "article", "quantity"]).astype("int64")


def _foodmart(text: str) -> Instance:
    """Valle, Beasley and da Cunha: 8 aisles, 2 blocks, a depot with a straight way to each aisle's front."""
    sections = [one.split("\n") for one in text.split("//")[1:]]
    parts = {rows[0].split(" (")[0].split(":")[0].strip(): [row.split() for row in rows[1:] if row.strip()]
             for rows in sections}  # fmt: skip
    vertices = pd.DataFrame(
        [
            (int(row[0]), float(row[1]), float(row[2]), row[3].strip('"'))
            for row in parts["Vertices coordinates LocationName"]
        ],
        columns=["vertex", "x", "y", "what"],
    ).set_index("vertex")
    corners = vertices[vertices["what"] == "intersection"]
    depot = int(parts["DepartingDepot"][0][0])
    legs = {int(row[1]): float(row[2]) for row in parts["Start End Distance"] if int(row[0]) == depot}
    gate = corners[corners.index.isin(legs)].sort_values("x")
    crosses = sorted(set(corners["y"].tolist()))
    floor = Floor(tuple(gate["x"]), tuple(crosses), gate_m=tuple(legs[at] for at in gate.index))
    products = np.array(parts["Idx Location Volume"], dtype="int64")
    at = vertices.loc[products[:, 1]]
    subaisle, along = on_floor(floor, at["x"].to_numpy(), at["y"].to_numpy())
    places = pd.DataFrame(
        {"article": products[:, 0], "quantity": 1, "subaisle": subaisle, "along_m": along, "vertex": products[:, 1]}
    )
    listed = next(rows for name, rows in parts.items() if name.startswith("Idx M NbProdInOrder"))
    lines = [(number, int(article), int(units)) for number, row in enumerate(listed)
             for article, units in zip(row[3::2], row[4::2], strict=True)]  # fmt: skip
    orders = pd.DataFrame(lines, columns=["order", "article", "quantity"])
    boxes = np.array([int(row[1]) for row in listed], dtype="int64")
    demand = np.bincount(orders["article"], orders["quantity"]).astype("int64")
    matrix = _matrix(parts["LocStart LocEnd ShortestPath"])
    return Instance(floor, places, demand, orders, boxes, int(parts["K"][0][0]), matrix)


def _matrix(rows: list[list[str]]) -> np.ndarray:
    cells = np.array(rows, dtype="float64")
    matrix = np.zeros((int(cells[:, 0].max()) + 1, int(cells[:, 1].max()) + 1))
    matrix[cells[:, 0].astype("int64"), cells[:, 1].astype("int64")] = cells[:, 2]
    return matrix
