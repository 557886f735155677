"""A person's answers to count differences, from the sheet and from the form: posted, closed or counted again, once."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pandas as pd
import pytest
from counted_floor import folder, lay_out, moment, run, sheet
from inbox_run import account, as_csv, movement, put, rows
from plain_flows import plain
from prefect.client.schemas.objects import FlowRun, FlowRunPolicy
from prefect.context import FlowRunContext
from sqlalchemy import Engine, select

from flows import approve_counts as flow
from flows.approve_counts import Approved, approve_counts
from tasks.domain.counting.approvals import OtherFindings
from tasks.steps.counting.approval_form import Answers
from tasks.steps.counting.approve_counts import look_what_waits, write_down
from tasks.store.audit import levels_off_the_ledger, promises_without_stock
from tasks.store.footprint import footprint
from tasks.store.schema import count_lines, locations, quarantined_rows, stock_levels, stock_moves, variances

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
ASKED, ANSWERED, LATER = moment(2, "18:00"), moment(3, "09:00"), moment(3, "12:00")
ROLE = "inventory manager"


@pytest.fixture
def floor(store: Engine, home: Path) -> Engine:
    """Four vases of 300.00 missing at A-02, ten jugs of 12.00 more than dear at B-02: two findings wait."""
    lay_out(home)
    sheet(home, "CC-1", [("A-02", "VASE", 36), ("B-02", "JUG", 10), ("A-01", "MUG", 200)], moment(2, "09:30"))
    assert run(ASKED).waiting == 2
    return store


def numbers(store: Engine) -> dict[str, int]:
    """The finding of each SKU."""
    with store.connect() as connection:
        told = select(count_lines.c.sku, variances.c.id).join(variances, variances.c.count_line_id == count_lines.c.id)
        return {row.sku: row.id for row in connection.execute(told)}


def on_hand(store: Engine, place: str) -> int:
    """Units in the book at a place, all goods."""
    told = rows(store, stock_levels)
    return int(told["on_hand"][told["location_id"].isin(_places(store, place))].sum())


def _places(store: Engine, place: str) -> list[int]:
    told = rows(store, locations)
    return list(told["id"][told["code"] == place])


def fill(path: Path, home: Path, answers: dict[str, tuple[str, str]], name: str = "approvals.xlsx") -> None:
    """What a person does: open the sheet, answer some rows by SKU (answer, name), drop it in the inbox."""
    book = openpyxl.load_workbook(path)
    page = book.active
    assert page is not None
    columns = {str(cell.value): number for number, cell in enumerate(page[1], start=1)}
    for row in range(2, page.max_row + 1):
        said = answers.get(str(page.cell(row, columns["sku"]).value))
        for column, value in zip(("answer", "answered_by"), said or (), strict=False):
            page.cell(row, columns[column], value)
    target = home / "inbox" / "approvals" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    book.properties.title = name  # saved within a second of another it is still another file
    book.save(target)


def say(store: Engine, as_of: datetime, by: str = "Ann", **said: Any) -> list[str]:
    """A form that was filled in."""
    assert store
    return write_down.fn(Answers(answered_by=by, **said), ASKED, ROLE, as_of)


def resume(times: int) -> Approved:
    """The flow's own code in a run that has been resumed so often."""
    policy = FlowRunPolicy(pause_keys={f"answer-{turn}" for turn in range(1, times + 1)})
    resumed = FlowRun.model_construct(flow_id=uuid4(), empirical_policy=policy)
    without = frozenset({"approve_counts.prepare_database", "approve_counts.ask_people"})
    with FlowRunContext.model_construct(flow_run=resumed):
        done: Approved = plain.__wrapped__(approve_counts, without)(ASKED, ROLE, ANSWERED)
        return done


def finding(store: Engine, sku: str) -> pd.Series:
    """The finding of a SKU as it is now."""
    told = rows(store, variances)
    return told[told["id"] == numbers(store)[sku]].iloc[0]


def test_the_sheet_is_protected_but_for_the_answer(floor: Engine, home: Path) -> None:
    """Numbers, figures and money can be read and not changed; the answer is chosen from a list."""
    page = openpyxl.load_workbook(folder(home, ASKED) / "approvals.xlsx").active
    assert page is not None
    assert page.protection.sheet
    heads = [cell.value for cell in page[1]]
    open_ = {head for head, cell in zip(heads, page[2], strict=True) if not cell.protection.locked}
    assert open_ == {"answer", "answered_by", "reason_code", "comment"}
    told = {
        row[heads.index("sku")]: row[heads.index("difference")] for row in page.iter_rows(min_row=2, values_only=True)
    }
    assert told == {"VASE": -4, "JUG": -50}
    assert '"approved,rejected,recount"' in {one.formula1 for one in page.data_validations.dataValidation}
    assert floor


def test_a_sheet_dropped_back_posts_closes_or_counts_again(floor: Engine, home: Path) -> None:
    """Approved is posted dated at the count, rejected leaves the book; the report says who and when."""
    fill(folder(home, ASKED) / "approvals.xlsx", home, {"VASE": ("approved", "Ann"), "JUG": ("rejected", "Bob")})
    done = run(ANSWERED)
    assert (done.approved, done.rejected, done.waiting) == (1, 1, 0)
    assert (on_hand(floor, "A-02"), on_hand(floor, "B-02")) == (36, 60)
    moves = rows(floor, stock_moves)
    posted = moves[moves["kind"] == "count"].iloc[0]
    assert (posted["quantity"], posted["effective_at"]) == (-4, pd.Timestamp(moment(2, "09:30")))
    vase, jug = finding(floor, "VASE"), finding(floor, "JUG")
    assert (vase["decision"], vase["answered_by"], vase["answered_at"]) == ("posted", "Ann", pd.Timestamp(ANSWERED))
    assert (jug["decision"], jug["answered_by"], jug["difference"]) == ("rejected", "Bob", -50)
    told = pd.read_csv(folder(home, ANSWERED) / "variances.csv").set_index("sku").to_dict("index")["VASE"]
    assert [told[name] for name in ("answer", "answered_by", "answered_at")] == [
        "approved", "Ann", "2026-03-03T09:00:00Z"]  # fmt: skip
    assert pd.read_csv(folder(home, ANSWERED) / "adjustments.csv")["quantity_delta"].to_list() == [-4]
    account(floor)


def test_recount_sends_another_person(floor: Engine, home: Path) -> None:
    """A blind sheet of the next round lies there; the book is as it was."""
    assert say(floor, ANSWERED, recount=str(numbers(floor)["VASE"])) == []
    run(ANSWERED)
    assert (folder(home, ANSWERED) / "CC-1-R2.xlsx").exists()
    assert on_hand(floor, "A-02") == 40
    assert finding(floor, "VASE")["decision"] == "recount"


def test_the_form_and_the_sheet_answer_once(floor: Engine, home: Path) -> None:
    """Whichever comes second posts nothing, and is told who answered and when."""
    filled = folder(home, ASKED) / "approvals.xlsx"
    assert say(floor, ANSWERED, rest=OtherFindings.APPROVE) == []
    run(ANSWERED)
    with floor.connect() as connection:
        before = footprint(connection)["stock_moves"]
    fill(filled, home, {"VASE": ("rejected", "Bob")})
    run(LATER)
    told = rows(floor, quarantined_rows)["reasons"].item()
    assert f"{numbers(floor)['VASE']} was answered already: approved by Ann at 2026-03-03 09:00 UTC" in told
    (problem, *_) = say(floor, LATER, by="Cem", reject=str(numbers(floor)["JUG"]))
    assert "was answered already: approved by Ann" in problem
    with floor.connect() as connection:
        assert footprint(connection)["stock_moves"] == before


def test_half_a_sheet_now_and_the_rest_later(floor: Engine, home: Path) -> None:
    """The same sheet with more rows filled: what was answered is unchanged, the rest is new."""
    filled = folder(home, ASKED) / "approvals.xlsx"
    fill(filled, home, {"VASE": ("approved", "Ann")}, "first.xlsx")
    assert run(ANSWERED).waiting == 1
    fill(filled, home, {"VASE": ("approved", "Ann"), "JUG": ("approved", "Ann")}, "second.xlsx")
    done = run(LATER)
    assert (done.approved, done.waiting) == (1, 0)
    assert rows(floor, quarantined_rows).empty
    assert (on_hand(floor, "A-02"), on_hand(floor, "B-02")) == (36, 10)


@pytest.mark.both_databases
def test_a_late_movement_is_asked_about_again(floor: Engine, home: Path) -> None:
    """Three vases had been broken before the count, and the file came late: approving -4 posts nothing, -1 is asked."""
    filled = folder(home, ASKED) / "approvals.xlsx"
    broken = movement(1, -3, "VASE", location="A-02", kind="scrap", occurred_at="2026-03-02 08:00:00 +0000")
    put(home, "movements", as_csv([broken]), "late.csv")
    fill(filled, home, {"VASE": ("approved", "Ann")})
    done = run(ANSWERED)
    assert (done.approved, done.waiting) == (0, 2)
    vase = finding(floor, "VASE")
    assert (vase["difference"], vase["asked_at"], bool(pd.isna(vase["answer"]))) == (-1, pd.Timestamp(ANSWERED), True)
    fill(filled, home, {"VASE": ("approved", "Ann")}, "old.xlsx")
    run(LATER)
    assert "difference: found '-4', expected '-1'" in rows(floor, quarantined_rows)["reasons"].item()
    fill(folder(home, ANSWERED) / "approvals.xlsx", home, {"VASE": ("approved", "Ann")}, "new.xlsx")
    assert run(moment(3, "13:00")).approved == 1
    assert on_hand(floor, "A-02") == 36


def test_a_second_run_changes_nothing(floor: Engine, home: Path) -> None:
    """No row and no document, before and after the answer."""
    assert say(floor, ANSWERED, rest=OtherFindings.APPROVE) == []
    for as_of in (ANSWERED, LATER):
        run(as_of)
        with floor.connect() as connection:
            before = footprint(connection)
        done = run(moment(4, "18:00"))
        assert (done.places_counted, done.approved, done.documents) == (0, 0, 0)
        with floor.connect() as connection:
            assert footprint(connection) == before
            assert levels_off_the_ledger(connection).empty
            assert promises_without_stock(connection).empty


def test_a_run_that_is_answered_in_turns_comes_to_its_end(floor: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer starts the run anew, from the first: what was answered in an earlier turn stays as it is."""
    vase, jug = numbers(floor)["VASE"], numbers(floor)["JUG"]
    turns = [Answers(answered_by="Ann", approve="all of them"), Answers(answered_by="Ann", approve=str(vase)),
             Answers(answered_by="Bob", reject=str(jug))]  # fmt: skip
    told: list[str] = []

    class Suspended(Exception):  # noqa: N818 - as Prefect's own
        pass

    done = None
    for resumed in range(4):

        def suspend(wait_for_input: type[Answers], key: str, resumed: int = resumed) -> Answers:
            told.append(wait_for_input._description or "")
            if int(key.removeprefix("answer-")) > resumed:
                raise Suspended
            return turns[int(key.removeprefix("answer-")) - 1]

        monkeypatch.setattr(flow, "suspend_flow_run", suspend)
        try:
            done = resume(resumed)
        except Suspended:
            continue
    assert "found 'all', expected numbers of findings" in " ".join(told)
    assert isinstance(done, Approved)
    assert (done.posted, done.rejected) == (1, 1)
    assert (on_hand(floor, "A-02"), on_hand(floor, "B-02")) == (36, 60)
    assert len(look_what_waits.fn()) == 0


@pytest.mark.both_databases
def test_a_form_sent_after_the_sheet_is_told_so(floor: Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the list waits any more when the run starts anew: the form is read all the same, and posts nothing."""
    both = {"VASE": ("approved", "Ann"), "JUG": ("approved", "Ann")}
    fill(folder(home, ASKED) / "approvals.xlsx", home, both)
    run(ANSWERED)
    read: list[str] = []

    def suspend(wait_for_input: type[Answers], key: str) -> Answers:
        read.append(key)
        return wait_for_input(answered_by="Bob", rest=OtherFindings.REJECT)

    monkeypatch.setattr(flow, "suspend_flow_run", suspend)
    assert resume(1).posted == 2
    assert read == ["answer-1"]
    assert say(floor, LATER, by="Bob", rest=OtherFindings.REJECT) == [
        f"finding: {number} was answered already: approved by Ann at 2026-03-03 09:00 UTC"
        for number in sorted((numbers(floor)["VASE"], numbers(floor)["JUG"]))
    ]
    assert (on_hand(floor, "A-02"), on_hand(floor, "B-02")) == (36, 10)
