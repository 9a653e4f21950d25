"""What a record's words say in numbers: TF-IDF of single words and pairs of neighbours, each record of length one.

The numbers are those of scikit-learn's ``TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_df=0.95,
min_df=1)`` on title and abstract, which is what ASReview's default model reads: a word is two or more letters, digits
or underscores in lower case; a count c becomes 1 + ln c; a term in d of n records weighs ln((1 + n) / (1 + d)) + 1; a
term in more than 95 % of the records is left out; every record is divided by its Euclidean length. Chinese and Japanese
are written without blanks, so that a whole title would be one word: there, every two neighbouring characters are one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

_WORD = re.compile(r"(?u)\b\w\w+\b")
#: Kana and Chinese characters.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
#: Terms in a larger share of the records say nothing about any of them (ASReview ELAS u4).
MAX_SHARE = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Features:
    """``matrix``: sparse (n, terms), rows of length one or, for a record without any word, zero.

    ``words`` numbers the single words; ``pairs`` are the sorted codes ``first * len(words) + second`` of neighbours;
    ``columns`` gives each of them its column (-1: left out), the words first; ``idf`` is the weight of each column.
    """

    matrix: Any
    words: dict[str, int]
    pairs: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    idf: Floats

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @cached_property
    def shared(self) -> Any:
        """The columns that at least two records have: between different records they give the same products."""
        found = np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])
        return self.matrix[:, np.flatnonzero(found > 1)].tocsr()

    @cached_property
    def by_term(self) -> Any:
        """``shared`` with the terms as rows."""
        return self.shared.T.tocsr()

    @cached_property
    def own(self) -> Floats:
        """The product of each record with itself: 1, or 0 where it has no words."""
        return np.asarray(np.diff(self.matrix.indptr) > 0, dtype=float)

    def project(self, text: str) -> Any:
        """Another text, such as the review question, as one row in the terms of these records."""
        import scipy.sparse

        known = [self.words.get(word, -1) for word in words_of(text)]
        ids = np.array(known, dtype=np.int64)
        first, second = ids[:-1], ids[1:]
        both = (first >= 0) & (second >= 0)
        codes = first[both] * len(self.words) + second[both]
        at = np.searchsorted(self.pairs, codes)
        at = at[(at < len(self.pairs)) & (self.pairs[np.minimum(at, len(self.pairs) - 1)] == codes)] if at.size else at
        columns = self.columns[np.concatenate([ids[ids >= 0], len(self.words) + at])]
        columns, counts = np.unique(columns[columns >= 0], return_counts=True)
        values = (1.0 + np.log(counts)) * self.idf[columns]
        length = float(np.sqrt(np.sum(values**2)))
        values = values / length if length > 0 else values
        return scipy.sparse.csr_array((values, columns, [0, len(columns)]), shape=(1, self.matrix.shape[1]))


def words_of(text: str) -> list[str]:
    """The words of a text in their order.

    >>> words_of("A trial of S-ketamine"), words_of("氯胺酮与疼痛 (RCT)")
    (['trial', 'of', 'ketamine'], ['氯胺', '胺酮', '酮与', '与疼', '疼痛', 'rct'])
    """
    if not text.isascii():
        text = _UNSPACED.sub(_neighbours, text)
    return _WORD.findall(text.lower())


def _neighbours(run: re.Match[str]) -> str:
    characters = run[0]
    return f" {' '.join(map(''.join, pairwise(characters)))} " if len(characters) > 1 else characters


def text_of(record: Record) -> str:
    """Title and abstract, with a blank between them.

    >>> text_of(Record(id="1", title="Ketamine", abstract="A trial."))
    'Ketamine A trial.'
    """
    return f"{record.title or ''} {record.abstract or ''}"


def features_of(records: Iterable[Record] | Sequence[str]) -> Features:
    """The features of records, or of texts.

    >>> found = features_of(["ketamine infusion", "ketamine tablets", "placebo"])
    >>> found.matrix.shape, [round(float(v), 3) for v in found.matrix[[0]].toarray().max(axis=1)]
    ((3, 6), [0.623])
    """
    import scipy.sparse

    given: list[Record | str] = [*records]
    for place, record in enumerate(given, start=1):
        if not isinstance(record, (str, Record)):
            raise InputError(Problem(f"records must be records or texts; got {record!r}", row=place))
    texts = [r if isinstance(r, str) else text_of(r) for r in given]
    words: defaultdict[str, int] = defaultdict()
    words.default_factory = words.__len__
    number = words.__getitem__
    found = [np.fromiter(map(number, tokens := words_of(t)), np.int64, len(tokens)) for t in texts]
    n, v = len(texts), len(words)
    lengths = np.array([len(t) for t in found], dtype=np.int64)
    singles = np.concatenate(found) if found else np.empty(0, np.int64)
    rows = np.repeat(np.arange(n), lengths)
    within = rows[1:] == rows[:-1]
    pairs, which = np.unique((singles[:-1] * v + singles[1:])[within], return_inverse=True)
    # Short indices halve the memory that every product with the matrix has to read.
    kind = np.int32 if max(n, v + len(pairs), len(singles) + len(which)) < 2**31 else np.int64
    places = np.concatenate([rows, rows[1:][within]]).astype(kind), np.concatenate([singles, v + which]).astype(kind)
    counts = scipy.sparse.csr_array((np.ones(len(places[0])), places), shape=(n, v + len(pairs)))
    counts.sum_duplicates()
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = spread <= MAX_SHARE * n
    columns = np.where(kept, np.cumsum(kept) - 1, -1)
    matrix = counts if kept.all() else counts[:, np.flatnonzero(kept)].tocsr()
    idf = np.log((1 + n) / (1 + spread[kept])) + 1.0
    matrix.data = (1.0 + np.log(matrix.data)) * idf[matrix.indices]
    sizes = np.sqrt(np.add.reduceat(np.append(matrix.data**2, 0.0), matrix.indptr[:-1])) if n else np.empty(0)
    filled = np.diff(matrix.indptr)
    sizes[filled == 0] = 1.0
    matrix.data /= np.repeat(sizes, filled)
    return Features(matrix, dict(words), pairs, columns, idf)
