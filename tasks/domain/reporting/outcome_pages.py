"""The artifact *outcome* of a run, in Markdown for Prefect's UI: what happened, the findings, and what to do."""

import html
import re
from collections.abc import Sequence

from tasks.domain.reporting.findings import Finding

SHOWN_MAX = 100


def outcome_page(headline: str, findings: Sequence[Finding], done: Sequence[str]) -> str:
    """The page. `done`: the counts of the run, one line each; empty where the run did not get that far."""
    parts = [f"**{_plain(headline)}**"]
    if findings:
        parts += ["\n".join([*_table(findings[:SHOWN_MAX]), *_more(findings)]), "### What to do", _to_do(findings)]
    if done:
        parts += ["### What was done", "\n".join(f"- {_plain(line)}" for line in done)]
    return "\n\n".join(parts)


def _table(findings: Sequence[Finding]) -> list[str]:
    rows = [
        f"| {_plain(one.what)} | {one.kind.replace('_', ' ')} | {one.count:,} | {_plain(one.why)} |" for one in findings
    ]
    return ["| file | what | how many | why |", "|---|---|---:|---|", *rows]


def _more(findings: Sequence[Finding]) -> list[str]:
    return [f"| and {len(findings) - SHOWN_MAX:,} more | | | |"] if len(findings) > SHOWN_MAX else []


def _to_do(findings: Sequence[Finding]) -> str:
    return "\n".join(
        f"- {_plain(one.what)}: {_plain(one.what_to_do)}{f' ([{_plain(one.run)}]({one.link}))' if one.link else ''}"
        for one in findings[:SHOWN_MAX]
    )


def _plain(text: str) -> str:
    """The text on one line with all markup escaped, whatever a file is called."""
    line = html.escape(" ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", line)
