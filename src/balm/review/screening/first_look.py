"""An order to begin with, made at once: records that share rare words with the review question come first.

It stands in for :func:`balm.review.screening.ranking.rank` in the seconds in which that reads a large search.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

#: Shorter words (in, of, or) stand in nearly every text, and within other words.
SHORTEST = 3


def first_look(texts: Sequence[str], question: str, *, seed: int = 0) -> tuple[list[int], str]:
    """Positions of ``texts``, the one to read first first, and what the order rests on.

    A text scores ``log(n / n_w)`` for each word ``w`` of the question that stands in it, also as a part of a longer
    word (*pain* in *painful*), where it stands in ``n_w`` of the ``n`` texts; equal scores stay in the given order.
    Where no text holds a word of the question the order is random, by ``seed``. The basis is ``"likeness"`` or
    ``"chance"``, as in :data:`balm.review.screening.ranking.BASES`.

    >>> first_look(["Asthma.", "Pain scale", "Ketamine for pain"], "ketamine in chronic pain")
    ([2, 1, 0], 'likeness')
    """
    asked = sorted({word for word in re.findall(r"\w+", question.lower()) if len(word) >= SHORTEST})
    held = [[word for word in asked if word in text] for text in map(str.lower, texts)]
    among = Counter(word for found in held for word in found)
    if not among:
        return [int(k) for k in np.random.default_rng(seed).permutation(len(texts))], "chance"
    worth = {word: log(len(texts) / n) for word, n in among.items()}
    score = [sum(worth[word] for word in found) for found in held]
    return sorted(range(len(texts)), key=lambda k: -score[k]), "likeness"
