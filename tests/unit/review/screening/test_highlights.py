"""Words are found whole, in any case, with an open end where it is asked for; the text stays the same text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from balm.review.screening.highlights import marked

LISTS = {"include": ["ketamin*", "chronic pain"], "exclude": ["rat", "mice"], "design": ["randomi*"]}


def test_a_word_is_found_whole() -> None:
    assert marked("A rate of rats, a rat", LISTS)[-1] == ("rat", "exclude")
    assert [p for p in marked("A rate of rats", LISTS) if p[1]] == []


def test_several_words_are_found_across_lines() -> None:
    assert ("Chronic\n  Pain", "include") in marked("In Chronic\n  Pain.", LISTS)


def test_the_longer_word_wins() -> None:
    assert marked("chronic pain", {"a": ["chronic"], "b": ["chronic pain"]}) == [("chronic pain", "b")]


@given(st.text(max_size=200), st.lists(st.text(max_size=8), max_size=5))
def test_the_pieces_are_the_text(text: str, words: list[str]) -> None:
    assert "".join(piece for piece, _ in marked(text, {"include": words})) == text
