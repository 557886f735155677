"""Colours and fonts of every plot."""

from typing import Any

INK = "#1b1f24"
GRID = "#d9dde2"
GOOD = "#2f6f9f"
BAD = "#c2410c"
PALE = "#a9c3d6"
SHADES = ("#2f6f9f", "#7fa8c4", "#c9d8e3", "#e0a15e", "#c2410c", "#8b5e83", "#6b7280")


STYLE: Any = {
    "svg.hashsalt": "operations",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.constrained_layout.use": True,
}
