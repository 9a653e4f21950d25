"""What each direct comparison contributes to each estimate of a network, as shares that add up to 1.

A row of the hat matrix is a flow of evidence from one treatment to the other: 1 flows out of the first, 1 into the
second, and what arrives elsewhere leaves again. The flow is taken apart into paths, and a comparison receives from
each path it lies on the path's flow divided by the path's length.

"shortest-path" peels off a shortest path, with all the flow it can carry, again and again (Papakonstantinou,
Nikolakopoulou, Ruecker et al. (2018) F1000Research 7:610; what CINeMA shows). The paper leaves open which of several
shortest paths goes first, and the shares depend on it a little (0.01 in networks of ten treatments). Here treatments
rank by where the list of comparisons, each written along the flow, first names them, and the path that is first in
this order goes first, as in programs that walk such a list breadth-first.

"random-walk" gives each path the probability that a walker takes it who leaves every treatment in proportion to the
flow, so that no order has to be chosen (Davies, Papakonstantinou, Nikolakopoulou, Ruecker & Galla (2022) Stat Med
41:2091).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from balm.stats.frame import frame
from balm.stats.network.contrasts import Floats, Integers
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

#: The words of ``method=``.
METHODS = ("shortest-path", "random-walk")
#: A flow below this is rounding: estimates carry 1 in all.
NO_FLOW = 1e-10
#: Steps after which a walker who circles (negative weights of multi-arm studies) must have arrived.
MAX_STEPS = 2000
Ends = tuple[Integers, Integers]


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """Shares of direct comparisons in network estimates.

    rows, columns : names of the estimates ("A:B") and of the direct comparisons.    method : as asked for.
    ends          : the two treatments of each column.
    values        : (rows, columns), each row adds up to 1.
    studies       : labels.     by_study : (rows, studies), the same shares spread over the studies of each comparison
                    by their weight in it.
    """

    method: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    ends: tuple[tuple[str, str], ...]
    values: Floats
    studies: tuple[str, ...]
    by_study: Floats

    def of(self, treatment: str, against: str) -> dict[str, float]:
        """The shares of one estimate, largest first, without those of 0."""
        names = [f"{treatment}:{against}", f"{against}:{treatment}"]
        found = [name for name in names if name in self.rows]
        if not found:
            raise InputError(f"no estimate of {treatment!r} against {against!r}; there are {', '.join(self.rows[:8])}")
        row = self.values[self.rows.index(found[0])]
        order = np.argsort(-row, kind="stable")
        return {self.columns[i]: float(row[i]) for i in order.tolist() if row[i] > 0.0}

    def to_frame(self) -> Any:
        """One row an estimate, one column a direct comparison: pandas where it is installed, else a dict of columns."""
        table: dict[str, Any] = {"comparison": list(self.rows)}
        return frame(table | {name: self.values[:, i].tolist() for i, name in enumerate(self.columns)})


def along_shortest_paths(flow: Floats, ends: Ends, n: int, source: int, sink: int) -> Floats:
    """(m,) shares of one estimate. ``flow`` (m,) runs from ``ends[0]`` to ``ends[1]``, against it where negative.

    >>> ends = np.array([0, 0, 1]), np.array([1, 2, 2])
    >>> along_shortest_paths(np.array([0.4, 0.6, 0.4]), ends, 3, 0, 2).tolist()
    [0.2, 0.6, 0.2]
    """
    left = np.abs(flow).tolist()
    out: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    into: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    rank: dict[int, int] = {}
    for e, (i, j) in enumerate(zip(ends[0].tolist(), ends[1].tolist(), strict=True)):
        if left[e] > NO_FLOW:
            tail, head = (i, j) if flow[e] > 0.0 else (j, i)
            out[tail].append((head, e))
            into[head].append((tail, e))
            rank.setdefault(tail, len(rank))
            rank.setdefault(head, len(rank))
    for edges in out:
        edges.sort(key=lambda edge: rank[edge[0]])
    share = np.zeros(len(left))
    while source in (away := _distances(into, left, sink)):
        for path in _paths(out, left, away, source, sink):
            carried = min(left[e] for e in path)
            for e in path:
                left[e] -= carried
                share[e] += carried / len(path)
    return np.asarray(share / share.sum())


def _distances(into: list[list[tuple[int, int]]], left: list[float], sink: int) -> dict[int, int]:
    """How many comparisons lie between each treatment and the sink, where flow is left."""
    away = {sink: 0}
    queue = deque([sink])
    while queue:
        node = queue.popleft()
        for tail, e in into[node]:
            if tail not in away and left[e] > NO_FLOW:
                away[tail] = away[node] + 1
                queue.append(tail)
    return away


def _paths(
    out: list[list[tuple[int, int]]], left: list[float], away: dict[int, int], source: int, sink: int
) -> Iterator[list[int]]:
    """Every shortest path in the order of ``out``; whoever asks takes its flow off before the next.

    What is exhausted stays so, hence each treatment goes on where it stopped (Dinic 1970).
    """
    at = [0] * len(out)
    path: list[tuple[int, int]] = []
    node = source
    while True:
        if node == sink:
            yield [e for _, e in path]
            while path and any(left[e] <= NO_FLOW for _, e in path):
                node = path.pop()[0]
            continue
        while at[node] < len(out[node]):
            head, e = out[node][at[node]]
            if left[e] > NO_FLOW and away.get(head, -1) == away[node] - 1:
                break
            at[node] += 1
        if at[node] < len(out[node]):
            path.append((node, e))
            node = head
        elif path:
            node = path.pop()[0]
            at[node] += 1
        else:
            return


def along_random_walks(flow: Floats, ends: Ends, n: int, source: int, sink: int) -> Floats:
    """As :func:`along_shortest_paths`: every path counts by the probability that a walker takes it.

    With F (l, n) the chance to stand somewhere after l steps and B (m, n) the chance to arrive from there in m, the
    comparison u-v receives ``p_uv sum F_lu B_mv / (l + m + 1)``: no path is ever listed.
    """
    tail = np.where(flow > 0.0, ends[0], ends[1])
    head = np.where(flow > 0.0, ends[1], ends[0])
    size = np.where(np.abs(flow) > NO_FLOW, np.abs(flow), 0.0)
    leaving = np.bincount(tail, size, n)
    leaving[sink] = 0.0
    step = np.divide(size, leaving[tail], out=np.zeros(len(size)), where=leaving[tail] > 0.0)
    move = np.zeros((n, n))
    move[tail, head] = step
    forward, backward = [np.eye(n)[source]], [np.eye(n)[sink]]
    while forward[-1].sum() - forward[-1][sink] > 1e-15 and len(forward) < MAX_STEPS:
        forward.append(forward[-1] @ move)
    for _ in forward[1:-1]:
        backward.append(move @ backward[-1])
    f, b = np.array(forward[:-1] or forward), np.array(backward)
    length = 1.0 + np.arange(len(f))[:, None] + np.arange(len(b))[None, :]
    share = step * np.einsum("le,lm,me->e", f[:, tail], 1.0 / length, b[:, head], optimize=True)
    return np.asarray(share / share.sum())
