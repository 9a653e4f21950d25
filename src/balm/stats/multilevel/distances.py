"""How far apart the places of a spatial term lie: by their coordinates, or as given."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.grouping import Integers, between_levels, column, grouping
from balm.vocabulary.problems import InputError, unknown_option

#: The ellipsoid WGS 84: equatorial radius in kilometres, and flattening.
EARTH_RADIUS, FLATTENING = 6378.137, 1.0 / 298.257223563


def _great_circle(step: Floats, at: Floats) -> Floats:
    """Along the ellipsoid, exact to some 50 m; longitude and latitude in degrees (Meeus 1999, chapter 11)."""
    latitude, half = np.radians(at[:, 1]), np.radians(step) / 2.0
    mean = (latitude[:, None] + latitude[None, :]) / 2.0
    sin_f, cos_f, sin_g, cos_g = (g(x) ** 2 for x in (mean, half[:, :, 1]) for g in (np.sin, np.cos))
    sin_l, cos_l = np.sin(half[:, :, 0]) ** 2, np.cos(half[:, :, 0]) ** 2
    s, c = sin_g * cos_l + cos_f * sin_l, cos_g * cos_l + sin_f * sin_l
    apart = (s > 0.0) & (c > 0.0)
    s, c = np.where(apart, s, 0.5), np.where(apart, c, 0.5)
    angle = np.arctan(np.sqrt(s / c))
    r = np.sqrt(s * c) / angle
    more = (3.0 * r - 1.0) / (2.0 * c) * sin_f * cos_g - (3.0 * r + 1.0) / (2.0 * s) * cos_f * sin_g
    out: Floats = np.where(apart, 2.0 * angle * EARTH_RADIUS * (1.0 + FLATTENING * more), 0.0)
    return out


#: A name, and the distances from the steps (m, m, d) between places (m, d).
DISTANCES: dict[str, Any] = {
    "euclidean": lambda step, _: np.sqrt(np.sum(step**2, axis=2)),
    "manhattan": lambda step, _: np.sum(np.abs(step), axis=2),
    "maximum": lambda step, _: np.max(np.abs(step), axis=2),
    "great-circle": _great_circle,
}


def places(name: str, inner: str, kind: str, es: EffectSizes, data: Any, distance: Any) -> tuple[Integers, Floats]:
    """(k,) the place of each effect, and the (m, m) distances between places."""
    parts = [p.strip() for p in inner.split("+")]
    if kind == "CAR" and len(parts) != 1:
        raise InputError(f"random {name!r}: structure 'CAR' takes one column of times; got {parts}")
    if distance is not None and not isinstance(distance, str):
        return _given(name, parts, es, data, distance)
    if distance is not None and distance not in DISTANCES:
        raise unknown_option(f"distance[{name!r}]", distance, list(DISTANCES))
    columns = []
    for part in parts:
        try:
            values = np.asarray(column(part, es, data), dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"random {name!r}: structure {kind!r} needs numbers in column {part}") from None
        if not np.all(np.isfinite(values)):
            raise InputError(
                f"random {name!r}: column {part} is missing in row {int(np.argmin(np.isfinite(values))) + 1}"
            )
        columns.append(values)
    if distance == "great-circle" and (len(parts) != 2 or np.any(np.abs(columns[-1]) > 90.0)):
        raise InputError(
            f"distance[{name!r}]: 'great-circle' takes longitude + latitude in degrees, latitudes within 90; "
            f"got {inner!r}"
        )
    every = np.column_stack(columns)
    at, point = np.unique(every, axis=0, return_inverse=True)
    between: Floats = DISTANCES[distance or "euclidean"](at[:, None, :] - at[None, :, :], at)
    return point.ravel().astype(np.int64), between


def _given(name: str, parts: list[str], es: EffectSizes, data: Any, distance: Any) -> tuple[Integers, Floats]:
    said = f"distance[{name!r}]"
    if len(parts) != 1:
        raise InputError(f"{said}: a matrix of distances goes with one column of labels; got {parts}")
    g = grouping(parts[0], column(parts[0], es, data))
    chosen = between_levels(said, distance, g, f"one of {list(DISTANCES)}, ")
    if not np.all(np.isfinite(chosen)) or np.any(chosen < 0.0):
        raise InputError(f"{said} holds distances that are missing, not finite or negative")
    if not np.allclose(chosen, chosen.T, rtol=1e-10, atol=0.0) or np.any(np.diag(chosen) != 0.0):
        raise InputError(f"{said} must be symmetric, with zeros on its diagonal")
    return g.codes.astype(np.int64), chosen
