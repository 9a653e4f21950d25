"""The order to begin with: by rare words of the question, by chance where there are none."""

from __future__ import annotations

from balm.review.screening.first_look import first_look


def test_rare_words_of_the_question_count_more_and_ties_stay_in_place() -> None:
    texts = ["pain one", "pain two", "KETAMINE-infusion; asthma", "nothing", "pain, ketamine"]
    assert first_look(texts, "Ketamine for (chronic) pain") == ([4, 2, 0, 1, 3], "likeness")


def test_without_a_word_in_common_it_is_chance_and_the_same_each_time() -> None:
    texts = [f"text {k}" for k in range(30)]
    order, basis = first_look(texts, "xylophone")
    assert basis == "chance" and sorted(order) == list(range(30)) != order
    assert first_look(texts, "") == (order, "chance")
    assert first_look(texts, "", seed=1)[0] != order
    assert first_look([], "pain") == ([], "chance")
