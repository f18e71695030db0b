"""How items are cut into batches."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.publisher import BATCH_BYTES, BATCH_ITEMS, portions
from gateway.bus.streams import MAX_ITEM_BYTES

SIZES = st.lists(st.sampled_from([0, 1, 700_000, MAX_ITEM_BYTES]), max_size=40)


@given(SIZES)
def test_portions_keep_every_item_in_order(sizes: list[int]) -> None:
    """Together the portions are the items again, and each is within both bounds."""
    items = [bytes(size) for size in sizes]
    cut = list(portions(items))
    assert [item for portion in cut for item in portion] == items
    for portion in cut:
        assert portion
        assert len(portion) <= BATCH_ITEMS
        assert sum(map(len, portion)) <= BATCH_BYTES


def test_many_small_items_are_cut_by_number() -> None:
    """A thousand and one items make three portions."""
    assert [len(p) for p in portions([b"x"] * 1001)] == [500, 500, 1]
