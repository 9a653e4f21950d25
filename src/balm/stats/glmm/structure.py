"""How the parameters of a model enter the linear predictor of each study's arms.

``eta_j = offset_j + base + c_j * effect``, where each of ``base`` and ``effect`` may hold a fixed part that is common
to the studies (or a function of moderators), one that belongs to the study alone, and a random part.  Given the
standard normal random variables ``v`` of a study, ``eta`` is linear in the parameters; all derivatives rest on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.likelihoods import Ints, Likelihood

#: Studies looked at together: at 81 nodes their numbers stay in a processor's cache, and memory grows no further.
TOGETHER = 256


class Parameter(NamedTuple):
    """One parameter of a study's predictor: its coefficient is ``1`` or ``c_j``, times 1 or ``v[random]``.

    design : (k, p) how it depends on global parameters (a column of ones for one number); ``None`` where each study
             has its own.
    """

    name: str
    of_effect: bool
    random: int | None
    design: Floats | None


@dataclass(frozen=True, eq=False)
class Structure:
    """``arms``: (likelihood, offset (k,), c_j) each; ``parameters`` in the order of the derivatives."""

    arms: tuple[tuple[Likelihood, Floats, float], ...]
    parameters: tuple[Parameter, ...]
    dimensions: int

    @property
    def k(self) -> int:
        """Studies."""
        return len(self.arms[0][1])

    @cached_property
    def local(self) -> int | None:
        """Which parameter each study has for itself."""
        return next((i for i, p in enumerate(self.parameters) if p.design is None), None)

    def position(self, name: str) -> int:
        """Where the common parameter of this name stands among the common ones (the first of its columns)."""
        for p, columns in zip(self.parameters, self.global_columns, strict=True):
            if p.name == name and columns is not None:
                return int(columns.start)
        raise KeyError(name)

    @cached_property
    def global_columns(self) -> list[slice | None]:
        """Where the global parameters behind each parameter stand; ``None`` for the local one."""
        found: list[slice | None] = []
        at = 0
        for p in self.parameters:
            if p.design is None:
                found.append(None)
            else:
                found.append(slice(at, at + p.design.shape[1]))
                at += p.design.shape[1]
        return found

    @cached_property
    def layout(self) -> tuple[Floats, Floats, list[int]]:
        """Designs of the global parameters side by side (k, p), their products (k, p, p), whose each column is."""
        designs = [(i, p.design) for i, p in enumerate(self.parameters) if p.design is not None]
        whole = np.concatenate([design for _, design in designs], axis=1)
        whose = [i for i, design in designs for _ in range(design.shape[1])]
        return whole, whole[:, :, None] * whole[:, None, :], whose

    def part(self, rows: slice | Ints) -> Structure:
        """Some of the studies."""
        arms = tuple((likelihood.part(rows), offset[rows], c) for likelihood, offset, c in self.arms)
        parameters = tuple(p if p.design is None else p._replace(design=p.design[rows]) for p in self.parameters)
        return Structure(arms, parameters, self.dimensions)

    @cached_property
    def parts(self) -> list[tuple[slice, Structure]]:
        """All studies, :data:`TOGETHER` at a time."""
        rows = [slice(at, at + TOGETHER) for at in range(0, self.k, TOGETHER)]
        return [(one, self.part(one)) for one in rows]

    def values(self, common: Floats, local: Floats | None) -> Floats:
        """(k, parameters) of each study, from the global ones and each study's own."""
        out = np.empty((self.k, len(self.parameters)))
        for i, (p, columns) in enumerate(zip(self.parameters, self.global_columns, strict=True)):
            if columns is None:
                out[:, i] = local
            else:
                assert p.design is not None
                out[:, i] = p.design @ common[columns]
        return out

    def values_of_many(self, common: Floats) -> Floats:
        """(t, k, parameters) for ``t`` rows of common parameters, where no study has a parameter of its own."""
        out = np.empty((len(common), self.k, len(self.parameters)))
        for i, (p, columns) in enumerate(zip(self.parameters, self.global_columns, strict=True)):
            assert p.design is not None and columns is not None
            out[:, :, i] = common[:, columns] @ p.design.T
        return out

    def coefficients(self, c: float, v: Floats) -> list[Any]:
        """What each parameter is multiplied with in an arm with ``c``, at ``v`` (k, q, d): numbers or (k, q)."""
        found: list[Any] = []
        for p in self.parameters:
            weight = c if p.of_effect else 1.0
            found.append(weight if p.random is None else weight * v[..., p.random])
        return found

    def eta(self, arm: int, values: Floats, v: Floats) -> Floats:
        """(k, q) linear predictor of an arm."""
        _, offset, c = self.arms[arm]
        fixed = offset.copy()
        moving: dict[int, Floats] = {}
        for i, p in enumerate(self.parameters):
            part = values[:, i] if not p.of_effect or c == 1.0 else c * values[:, i]
            if p.random is None:
                fixed = fixed + part
            else:
                moving[p.random] = part if p.random not in moving else moving[p.random] + part
        total = fixed[:, None] + np.zeros(v.shape[1])
        for r, part in moving.items():
            total += part[:, None] * v[..., r]
        return total

    def loadings(self, c: float, values: Floats) -> Floats:
        """(k, d): how ``eta`` of an arm grows with each random variable."""
        out = np.zeros((self.k, self.dimensions))
        for i, p in enumerate(self.parameters):
            if p.random is not None:
                out[:, p.random] += (c if p.of_effect else 1.0) * values[:, i]
        return out


@lru_cache(maxsize=16)
def repeated(s: Structure, times: int) -> Structure:
    """The same studies ``times`` times over, to look at many values of their parameters at once."""
    arms = tuple((likelihood.repeated(times), np.tile(offset, times), c) for likelihood, offset, c in s.arms)
    return Structure(arms, s.parameters, s.dimensions)
