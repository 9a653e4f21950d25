"""Which pairs are looked at: records that share any one of a dozen keys, found by sorting, never by crossing.

A key missing a part is no key. Within a key records are sorted by title, and each meets its neighbours up to the cap,
so that a thousand "Editorial"s cost a thousand times the cap and not a million.
"""

from __future__ import annotations

from array import array

import numpy as np

from balm.review.deduplication.prepared import Ints, Prepared, mixed, stable_hashes
from balm.review.deduplication.spread import Each, one_by_one

#: Neighbours each record meets in one key.
CAP = 40
CAP_TITLE = 60
#: In keys of parts of a text duplicates lie side by side once titles are sorted.
CAP_START = 12
CAP_END = 20
#: Titles with fewer letters ("Editorial") need more than themselves to meet.
SHORT_TITLE = 20
#: A word in more titles than this is not rare.
RARE_IN = 25


def candidate_pairs(p: Prepared, each: Each = one_by_one) -> tuple[Ints, Ints]:
    """``(i, j)`` of every pair worth comparing, ``i < j`` by position, each once and in order of position."""
    if p.n < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    by_title = np.argsort(p.order).tolist()
    by_title.sort(key=p.title.__getitem__)  # stable: equal titles stay in the order of what else they hold
    rank = np.empty(p.n, dtype=np.int64)
    rank[by_title] = np.arange(p.n)
    here = np.arange(p.n)
    long = (p.length >= SHORT_TITLE).astype(np.int64)
    short_start = stable_hashes([t.replace(" ", "")[:10] for t in p.title])
    blocks = [
        (key, rank, here, p.n, cap)
        for key, cap in (
            (p.doi, CAP),
            (p.pmid, CAP),
            (mixed(p.title_hash, long), CAP_TITLE),
            (mixed(p.title_hash, p.year), CAP),
            (mixed(p.title_hash, p.first_page), CAP),
            (mixed(p.title_hash, p.first_hash), CAP),
            (p.start_hash, CAP_START),
            (p.end_hash, CAP_END),
            (mixed(p.first_hash, p.year, p.first_page), CAP),
            (mixed(p.volume, p.first_page, p.first_hash), CAP),
            (mixed(p.volume, p.first_page, p.year), CAP),
            (p.abstract_hash, CAP_END),
            (mixed(p.first_hash, p.volume, p.issue), CAP_END),
            (mixed(p.first_hash, short_start), CAP_START),
        )
    ]
    if p.original_hash.any():
        told = np.flatnonzero(p.original_hash)
        key = np.concatenate([p.title_hash, p.original_hash[told]])
        blocks.append((key, np.concatenate([rank, rank[told]]), np.concatenate([here, told]), p.n, CAP))
    blocks += [(key, rank, here, p.n, RARE_IN) for key in _rare_words(p)]
    every = _distinct(_emptied(list(each(_neighbours, blocks))))
    i = every // p.n
    return i, np.remainder(every, p.n, out=every)


def _emptied(parts: list[Ints]) -> Ints:
    """The parts one after the other, each let go once it is copied: at millions of pairs they would stand twice."""
    out = np.empty(sum(map(len, parts)), dtype=np.int64)
    at = len(out)
    while parts:
        part = parts.pop()
        out[at - len(part) : at] = part
        at -= len(part)
    return out


def _distinct(codes: Ints) -> Ints:
    """Each number once, in order; sorting is many times faster here than ``np.unique``, which hashes."""
    codes.sort()
    first = np.ones(len(codes), dtype=bool)
    np.not_equal(codes[1:], codes[:-1], out=first[1:])
    return codes[first]


def _neighbours(key: Ints, rank: Ints, record: Ints, n: int, cap: int) -> Ints:
    """Pairs of records with one key, as ``i * n + j``."""
    kept = np.flatnonzero(key)
    if len(kept) < 2:
        return np.zeros(0, np.int64)
    sort = kept[np.lexsort((rank[kept], key[kept]))]
    keys = key[sort]
    same = keys[1:] == keys[:-1]
    repeated = np.flatnonzero(np.concatenate([same, [False]]) | np.concatenate([[False], same]))
    keys, who = keys[repeated], record[sort[repeated]]
    found = []
    at = np.arange(len(keys))
    for offset in range(1, cap + 1):
        at = at[at + offset < len(keys)]
        at = at[keys[at] == keys[at + offset]]
        if not len(at):
            break
        a, b = who[at], who[at + offset]
        apart = a != b
        found.append((np.minimum(a, b) * n + np.maximum(a, b))[apart])
    return _distinct(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _rare_words(p: Prepared) -> list[Ints]:
    """Keys of two of the three rarest words of each title: typing errors at both ends."""
    vocabulary: dict[str, int] = {}
    flat, count = array("i"), array("i")
    for title in p.title:
        found = {w for w in title.split() if len(w) > 3}
        flat.extend([vocabulary.setdefault(w, len(vocabulary)) for w in found])
        count.append(len(found))
    if not flat:
        return []
    word = np.frombuffer(flat, dtype=np.int32).astype(np.int64)
    owner = np.repeat(np.arange(p.n), np.frombuffer(count, dtype=np.int32))
    frequency = np.bincount(word)
    name = stable_hashes(list(vocabulary))
    useful = (frequency[word] > 1) & (frequency[word] <= RARE_IN)
    word, owner = word[useful], owner[useful]
    if not len(word):
        return []
    sort = np.lexsort((name[word], frequency[word], owner))
    word, owner = word[sort], owner[sort]
    begins = np.concatenate([[True], owner[1:] != owner[:-1]])
    place = np.arange(len(owner)) - np.maximum.accumulate(np.where(begins, np.arange(len(owner)), 0))
    three = np.zeros((p.n, 3), dtype=np.int64)
    top = place < 3
    three[owner[top], place[top]] = name[word[top]]
    three.sort(axis=1)
    columns = [np.ascontiguousarray(three[:, k]) for k in range(3)]
    return [mixed(columns[a], columns[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
