"""How many decimals a result deserves: as many as its interval can bear, and the same for all numbers of a row."""

from __future__ import annotations

import math
from collections.abc import Iterable

from balm.vocabulary.numbers import NOT_ESTIMABLE, fixed, percent, short

#: Effects are shown with two decimals unless the interval is too narrow for that (Cochrane style: RR 0.49, MD -13.98).
USUAL = 2
#: Beyond this, leading zeros are counted better by a power of ten.
MOST = 6


def digits_for(widths: Iterable[float]) -> int:
    """Decimals that keep the ends of the narrowest interval at least five last places apart.

    At least two and at most :data:`MOST`.

    >>> digits_for([0.36]), digits_for([0.098]), digits_for([0.048]), digits_for([0.0012]), digits_for([float("nan")])
    (2, 2, 3, 4, 2)
    """
    real = [w for w in widths if math.isfinite(w) and w > 0]
    if not real:
        return USUAL
    return min(MOST, max(USUAL, math.ceil(math.log10(5 / min(real)))))


def number(x: float, digits: int, *, ratio: bool = False, minus: str = "-") -> str:
    """``x`` with ``digits`` decimals; where they would show nothing of it, three figures and a power of ten.

    A ``ratio`` is never 0: a small one is shown with two figures instead of "0.00" or "0.01".

    >>> number(-0.7145, 2), number(3.21e-9, 6), number(0.0, 6), number(0.00021, 2, ratio=True)
    ('-0.71', '3.21e-9', '0.000000', '0.00021')
    >>> number(0.0073, 2, ratio=True)
    '0.0073'
    """
    if ratio and 0 < x < 10.0**-digits:
        return short(x, digits)
    if x != 0 and math.isfinite(x) and digits >= MOST and abs(x) < 10.0 ** (1 - MOST):
        mantissa, _, power = f"{abs(x):.2e}".partition("e")
        return f"{minus if x < 0 else ''}{mantissa}e{int(power)}"
    return fixed(x, digits, minus=minus)


def i2_percent(x: float) -> str:
    """I² in per cent; close to 100 with a decimal, for 100 % itself is out of reach.

    >>> i2_percent(92.2), i2_percent(99.64)
    ('92%', '99.6%')
    """
    return percent(x, 1 if 99 < x < 99.95 else 0)


def to(low: float, high: float, digits: int, *, ratio: bool = False, minus: str = "-") -> str:
    """An interval in words, "0.34 to 0.70": a dash would be read as a sign.

    >>> to(-36.3187, 6.1067, 2), to(float("nan"), 1.0, 2)
    ('-36.32 to 6.11', 'not estimable')
    """
    if math.isnan(low) or math.isnan(high):
        return NOT_ESTIMABLE
    ends = (number(end, digits, ratio=ratio, minus=minus) for end in (low, high))
    return " to ".join(ends)
