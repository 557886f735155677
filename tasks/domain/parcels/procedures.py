"""Procedures: versioned steps, and which of them were confirmed (config/procedures)."""

import re
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ProcedureStep:
    """One thing a person confirms; without a mandatory one the work is not done."""

    code: str
    says: str
    mandatory: bool = True


@dataclass(frozen=True)
class Procedure:
    """The schema of config/procedures/*.yaml."""

    procedure: str
    version: int
    steps: tuple[ProcedureStep, ...]

    def __post_init__(self) -> None:
        codes = [step.code for step in self.steps]
        if len(set(codes)) < len(codes):
            raise ValueError(f"procedure {self.procedure}: a step's code names one step, found {codes}")


def unconfirmed(checks: pd.Series, procedure: Procedure) -> pd.DataFrame:
    """Which mandatory steps were not confirmed: an answer other than yes, two answers, and no answer are not yes.

    `checks` (str): `step=yes|step=no`. Gives its index as `at`, step (str) and answer (str), by step as listed.
    """
    found = [_answers(checks, step.code) for step in procedure.steps if step.mandatory]
    every = pd.concat(found) if found else pd.DataFrame({"at": checks.index[:0], "step": "", "answer": ""})
    return every[every["answer"] != "yes"].reset_index(drop=True)


def _answers(checks: pd.Series, code: str) -> pd.DataFrame:
    said = checks.astype("str").fillna("").str.casefold().str.findall(_answer(code))
    answer = said.map(lambda words: "/".join(sorted(set(words)))).astype("str")
    return pd.DataFrame({"at": checks.index, "step": code, "answer": answer.where(answer != "", "no answer")})


def _answer(code: str) -> str:
    return rf"(?:^|\|)\s*{re.escape(code.casefold())}\s*=\s*([^|]*?)\s*(?=\||$)"
