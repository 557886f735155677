"""Which lines a feed writes, and that what it says adds up, whatever lies there."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.stock.feeds import FEED_LINE_KEY, FEED_UNITS, Feed, FeedLayout, changed_lines, offered_lines

UNITS = st.integers(0, 20)
ROW = st.fixed_dictionaries({"on_hand": st.integers(-5, 40), "allocated": UNITS, "waiting": UNITS, "available": UNITS})
LAYOUTS = (FeedLayout.CANONICAL, FeedLayout.SHOPIFY)


def pool(rows: list[dict[str, int]]) -> pd.DataFrame:
    """What lies in warehouse 1 of one product after the other."""
    key = pd.MultiIndex.from_tuples([(number, 1) for number in range(len(rows))], names=FEED_LINE_KEY)
    return pd.DataFrame(rows, index=key, columns=["on_hand", "allocated", "waiting", "available"]).astype("int64")


def said(lines: pd.DataFrame, state: str = "published") -> pd.DataFrame:
    """The record of a feed that said these lines."""
    return lines[FEED_UNITS].reset_index().assign(state=state)


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, max_size=5), st.lists(ROW, max_size=5), st.integers(0, 9), st.sampled_from(LAYOUTS))
def test_what_was_said_and_what_is_written_together_are_what_is_true(
    before: list[dict[str, int]], after: list[dict[str, int]], keep_back: int, layout: FeedLayout
) -> None:
    """A channel that reads each file knows what it may sell; written again it would say nothing."""
    feed, nothing = Feed(layout, keep_back=keep_back), pd.Series(dtype="int64", index=pool([]).index)
    old, new = (offered_lines(pool(rows), nothing, feed) for rows in (before, after))
    written = changed_lines(new, said(old), feed)
    known = pd.concat([old, written])["available"].groupby(FEED_LINE_KEY).last()
    assert known[known > 0].to_dict() == new["available"][new["available"] > 0].to_dict()
    assert changed_lines(new, said(new), feed).empty
    assert len(changed_lines(new, said(new, "due"), feed)) == len(new)
    for column in FEED_UNITS:
        assert (new[column] >= 0).all()


def test_what_is_kept_back_is_unavailable_to_the_channel() -> None:
    """Ten there, three promised or waited for, four kept back: three to sell, and all of it adds up."""
    rows = pool([{"on_hand": 10, "allocated": 2, "waiting": 1, "available": 7}])
    damaged = pd.Series([2], index=rows.index)
    found = offered_lines(rows, damaged, Feed(FeedLayout.SHOPIFY, keep_back=4))
    assert found[FEED_UNITS].to_numpy().tolist() == [[3, 3, 6]]


def test_a_canonical_feed_does_not_repeat_itself_for_what_it_does_not_tell() -> None:
    """One more unit that is damaged concerns Shopify's layout alone."""
    rows = pool([{"on_hand": 10, "allocated": 0, "waiting": 0, "available": 10}])
    for layout, lines in zip(LAYOUTS, (0, 1), strict=True):
        feed = Feed(layout)
        before = said(offered_lines(rows, pd.Series([1], index=rows.index), feed))
        assert len(changed_lines(offered_lines(rows, pd.Series([2], index=rows.index), feed), before, feed)) == lines
