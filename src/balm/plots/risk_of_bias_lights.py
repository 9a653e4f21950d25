"""The look of a risk-of-bias judgement: a colour and a sign, so that colour never stands alone; and the key of both.

Signs are those of Cochrane's figures: ``+`` low, ``?`` some concerns or unclear, ``−`` high; ``!`` is critical or very
high, ``NI`` no information and ``NA`` not applicable, each with a colour of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from balm.plots.risk_of_bias_signs import SIGNS
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.review.risk_of_bias.words import JUDGEMENTS

INK, QUIET, RULE = "#1b232d", "#5b6673", "#d7dce1"
#: What is drawn where no judgement was made.
NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Light:
    """The look of a judgement: its fill, the sign inside it, the colour of the sign, and an outline if it needs one."""

    fill: str
    sign: str
    ink: str = "#ffffff"
    stroke: str | None = None


def _lights(low: str, some: str, high: str, critical: str, nothing: str) -> Mapping[str, Light]:
    """One light a judgement, from the colours of five degrees."""
    fills = {"+": low, "?": some, "−": high, "!": critical, "NI": nothing}
    outlined = Light("#ffffff", "NA", QUIET, QUIET)
    found = {}
    for word in (*JUDGEMENTS, NOT_JUDGED):
        sign = SIGNS.get(word, "")
        if sign in fills:
            found[word] = Light(fills[sign], sign, INK if sign == "?" else "#ffffff")
        else:
            found[word] = Light(outlined.fill, sign, outlined.ink, outlined.stroke)
    return found


#: Palette -> the light of each judgement. ``colour-blind`` is that of Okabe & Ito (2008), told apart by every reader.
PALETTES: dict[str, Mapping[str, Light]] = {
    "cochrane": _lights("#1f6e43", "#f2c94c", "#b3261e", "#5c0d0e", "#3f6fa8"),
    "colour-blind": _lights("#0072b2", "#f0e442", "#c44e00", "#1b1b1b", "#7a848d"),
}
LIGHTS = PALETTES["cochrane"]


def draw_light(
    drawing: Drawing, light: Light, x: float, y: float, radius: float = 10.0, tip: str | None = None
) -> None:
    """A light around (x, y); ``tip`` shows on hovering."""
    drawing.circle(x, y, radius, fill=light.fill, stroke=light.stroke, full=tip)
    if light.sign:
        size = 1.2 * radius if len(light.sign) == 1 else 0.9 * radius
        drawing.text(x, y + 0.36 * size, light.sign, anchor="middle", bold=True, size=size, fill=light.ink)


def key_lines(words: Iterable[str], room: float) -> list[list[str]]:
    """The words of a key, broken into lines no wider than ``room``."""
    lines: list[list[str]] = []
    used = room
    for word in words:
        step = 44 + text_width(word, 11)
        if used + step > room:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += step
    return lines


def draw_key(drawing: Drawing, lines: list[list[str]], lights: Mapping[str, Light], x: float, y: float) -> None:
    """The key from its upper left corner, a line every 20 pixels."""
    for i, line in enumerate(lines):
        at = x
        for word in line:
            draw_light(drawing, lights[word], at + 8, y + 20 * i, 8)
            drawing.text(at + 22, y + 4 + 20 * i, word, size=11)
            at += 44 + text_width(word, 11)
