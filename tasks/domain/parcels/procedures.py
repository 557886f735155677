"""Procedures: their versioned steps (config/procedures), and which of them were not confirmed."""

import re
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ProcedureStep:
    """One thing a person confirms; the work is not done until every mandatory step is confirmed."""

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


def unconfirmed_steps(checks: pd.Series, procedure: Procedure) -> pd.DataFrame:
    """One row per mandatory step that was not confirmed: any answer but a single yes.

    `checks` (str): `step=yes|step=no`. Returns at (the index of `checks`), step (str) and answer (str), in the order of
    the procedure.
    """
    by_step = [_answers(checks, step.code) for step in procedure.steps if step.mandatory]
    answers = pd.concat(by_step) if by_step else pd.DataFrame({"at": checks.index[:0], "step": "", "answer": ""})
    return answers[answers["answer"] != "yes"].reset_index(drop=True)


def _answers(checks: pd.Series, code: str) -> pd.DataFrame:
    words = checks.astype("str").fillna("").str.casefold().str.findall(_answer_pattern(code))
    answer = words.map(lambda answers: "/".join(sorted(set(answers)))).astype("str")
    return pd.DataFrame({"at": checks.index, "step": code, "answer": answer.where(answer != "", "no answer")})


def _answer_pattern(code: str) -> str:
    return rf"(?:^|\|)\s*{re.escape(code.casefold())}\s*=\s*([^|]*?)\s*(?=\||$)"
