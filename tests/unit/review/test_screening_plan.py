"""What the plan settles about screening: reasons in their order, and words that are marked."""

from __future__ import annotations

import pytest

from balm.actions.new_review import plan
from balm.review.package import Highlights, WordList
from balm.review.plan import COLOURS, read_plan


def with_screening(text: str) -> str:
    """The plan of a new package with another section on screening."""
    before, rest = plan("r").split("[screening]", 1)
    return before + "[screening]\n" + text + "\n[[eligibility]]" + rest.split("[[eligibility]]", 1)[1]


def test_reasons_keep_their_order_and_words_their_lists() -> None:
    meta, problems = read_plan(
        with_screening(
            """exclusion_reasons = ["Other population", "Other design"]
[screening.highlights]
include = ["random"]
exclude = ["rats", "mice"]
[[screening.highlights.lists]]
name = "Drug"
colour = "purple"
words = ["ketamine", "esketamine"]
"""
        )
    )
    assert problems == []
    assert meta is not None
    assert meta.screening.exclusion_reasons == ("Other population", "Other design")
    drug = WordList("Drug", "purple", ("ketamine", "esketamine"))
    assert meta.screening.highlights == Highlights(("random",), ("rats", "mice"), (drug,))


def test_a_new_package_has_reasons_to_replace() -> None:
    meta, _ = read_plan(plan("r"))
    assert meta is not None
    assert len(meta.screening.exclusion_reasons) > 3


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('exclusion_reasons = ["A", "A"]', "screening.exclusion_reasons", "holds 'A' twice"),
        ('exclusion_reasons = ["A", " "]', "screening.exclusion_reasons", "must not hold an empty text"),
        ("exclusion_reasons = 3", "screening.exclusion_reasons", "must be a list of words"),
        ('highlights = "x"', "highlights", "must be a table"),
        ('[screening.highlights]\ninclude = ["a", "a"]', "screening.highlights.include", "holds 'a' twice"),
        ('[screening.highlights]\nwords = ["a"]', "screening.highlights.words", "a field of this table"),
        (
            '[[screening.highlights.lists]]\nname = "x"\ncolour = "mauve"\nwords = ["a"]',
            "screening.highlights.lists 1.colour",
            str(list(COLOURS))[1:-1],
        ),
        (
            "".join(f'[[screening.highlights.lists]]\nname = "{i}"\nwords = ["a"]\n' for i in range(4)),
            "screening.highlights.lists",
            "at most 3 lists; got 4",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, place: str, reason: str) -> None:
    meta, problems = read_plan(with_screening(text))
    assert meta is None
    assert [(p.column, reason in p.reason) for p in problems] == [(place, True)], problems
