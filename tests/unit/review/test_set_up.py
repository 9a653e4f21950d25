"""A change of the plan is written into its text, and everything else in the text stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.set_up.sections import SECTION_BY_KEY, SECTIONS
from balm.review.set_up.writing import with_list, with_table
from balm.vocabulary.problems import InputError

TEXT = """\
# first line
[question]  # the question
population = "Adults" # who
note = "a field no form knows"

[[scales]]  # the first
id = "nrs"
low = 0
extra = true

# between
[[scales]]
id = "vas"
low = 0.0

# ---- after the scales
[[windows]]
id = "early"

[windows.inner]
x = 1
# the end
"""
SCALES, WINDOWS = SECTION_BY_KEY["scales"], SECTION_BY_KEY["windows"]


def test_a_field_is_changed_where_it_stands() -> None:
    changed = with_table(TEXT, SECTION_BY_KEY["question"], {"population": "Children", "designs": None})
    assert changed == TEXT.replace('"Adults"', '"Children"')


def test_items_move_with_what_no_form_knows() -> None:
    moved = with_list(TEXT, SCALES, [(1, {}), (0, {"low": 1})])
    assert tomllib.loads(moved)["scales"] == [{"id": "vas", "low": 0.0}, {"id": "nrs", "low": 1, "extra": True}]
    for comment in ("# first line", "# the question", "# who", "# between", "# ---- after the scales", "# the end"):
        assert comment in moved
    assert moved.index("# ---- after the scales") < moved.index("[[windows]]")


def test_a_new_item_stands_before_what_follows_the_list() -> None:
    changed = with_list(TEXT, SCALES, [(0, {}), (1, {}), (None, {"id": "x", "low": 2})])
    assert changed == TEXT.replace("low = 0.0\n", 'low = 0.0\n\n[[scales]]\nid = "x"\nlow = 2\n')


def test_nothing_given_writes_nothing() -> None:
    for section in SECTIONS:
        same = with_list(TEXT, section, []) if section.many else with_table(TEXT, section, {})
        if section.key not in ("scales", "windows"):
            assert same == TEXT


def test_what_cannot_be_kept_whole_is_refused() -> None:
    dotted = 'scales = [{id = "a"}]\n'
    try:
        changed = with_list(dotted, SCALES, [(0, {"id": "b"})])
    except InputError as error:
        assert "as text" in str(error)
    else:
        assert tomllib.loads(changed) == {"scales": [{"id": "b"}]}


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), min_size=1, max_size=40),
    order=st.permutations([0, 1]),
    keep=st.integers(0, 2),
)
def test_any_text_and_any_order_come_back(text: str, order: list[int], keep: int) -> None:
    changed = with_list(TEXT, SCALES, [(i, {"name": text}) for i in order[:keep]])
    parsed = tomllib.loads(changed)
    assert [one["name"] for one in parsed.get("scales", [])] == [text] * keep
    assert parsed["windows"] == tomllib.loads(TEXT)["windows"]
    assert "# ---- after the scales" in changed


@pytest.mark.parametrize("value", ['a"b', "a\nb", '"""', "\\", "\t", "é", "\u2028"])
def test_awkward_texts(value: str) -> None:
    changed = with_table(TEXT, SECTION_BY_KEY["question"], {"population": value})
    assert tomllib.loads(changed)["question"]["population"] == value
