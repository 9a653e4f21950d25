"""Tables read from the package: measures, estimators, intervals, profiles, public names, galleries."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import balm
from balm.cli.main import COMMANDS
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.heterogeneity.intervals import INTERVALS
from balm.stats.measures import ARGUMENTS, MEASURES
from balm.stats.pooling.choices import I2_CONVENTIONS, MODELS, TAU2_INTERVALS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.profile_formulas import FORMULAS
from balm.stats.profiles import PROFILES, UNVERIFIED
from docs.making import claims, risk_of_bias, validation, worked_examples

DOCS = Path(__file__).resolve().parents[1]

#: Thirteen trials of BCG vaccine, on which the tables show what a choice does (Colditz et al. 1994).
BCG = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    heads = list(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def measures() -> str:
    """A section a family, a row a measure."""
    parts = [f"{len(MEASURES)} measures."]
    for family in dict.fromkeys(m.family for m in MEASURES.values()):
        rows = [m for m in MEASURES.values() if m.family == family]
        parts += ["", f"## {family[0].upper()}{family[1:]}", ""]
        parts.append(
            _table(
                ["code", "measure", "columns", "analysed on", "variance types", "zero cells", "source"],
                (
                    (
                        f"`{m.code}`",
                        m.name,
                        m.takes,
                        m.scale.name,
                        _code(m.variance_types),
                        m.zero_cells,
                        m.source,
                    )
                    for m in rows
                ),
            )
        )
    return "\n".join(parts)


def arguments() -> str:
    rows = ARGUMENTS.values() if hasattr(ARGUMENTS, "values") else ARGUMENTS
    fields = [f for f in ("name", "meaning", "kind") if all(hasattr(r, f) for r in rows)]
    return _table(fields, ([getattr(r, f) for f in fields] for r in rows))


def _interval(found: Any) -> str:
    return f"{found.low:.4f} to {found.high:.4f}" if found.low == found.low else "none"


def tau2_estimators() -> str:
    es = balm.effect_sizes("RR", **BCG)

    def rows() -> Iterable[Iterable[str]]:
        for e in TAU2_ESTIMATORS.values():
            fit = balm.pool(es, tau2=e.name, inference="wald")
            found = "root of its equation" if e.equation is not None else "closed form"
            if e.name in ("GENQM",):
                found = "root of its equation"
            yield f"`{e.name}`", e.title, found, f"{fit.tau2:.6f}", f"{fit.estimate:.4f}", e.source

    return _table(["`tau2=`", "estimator", "found as", "τ² (BCG)", "log RR (BCG)", "source"], rows())


ERRORS = {
    "wald": "Wald: (Σw)^(-1/2)",
    "hartung-knapp": "Hartung-Knapp",
    "guarded": "the larger of Hartung-Knapp's and Wald's",
    "wider": "that of the wider interval",
    "iqwig": "Hartung-Knapp, or Wald where the rule says so",
    "kenward-roger": "Kenward-Roger",
}


def inferences() -> str:
    es = balm.effect_sizes("RR", **BCG)

    def rows() -> Iterable[Iterable[str]]:
        for row in INFERENCES.values():
            options: dict[str, Any] = {"inference": row.name}
            if "random" not in row.models:
                options["model"] = row.models[0]
            fit = balm.pool(es, **options)
            yield f"`{row.name}`", row.title, ERRORS[row.error], row.df, _code(row.models), _interval(fit.interval)

    heads = ["`inference=`", "interval", "standard error", "degrees of freedom", "models", "95% CI (BCG, log RR)"]
    return _table(heads, rows())


def predictions() -> str:
    es = balm.effect_sizes("RR", **BCG)

    def rows() -> Iterable[Iterable[str]]:
        for row in PREDICTIONS.values():
            fit = balm.pool(es, inference="wald", prediction=row.name)
            yield f"`{row.name}`", row.title, _interval(fit.prediction_interval)

    return _table(["`prediction=`", "interval", "95% (BCG, log RR, REML, Wald interval of the mean)"], rows())


def models() -> str:
    said = {
        "random": "random effects: weights 1/(v + τ²)",
        "common": "one common effect: weights 1/v, τ² = 0 by assumption",
        "ivhet": "common-effect weights with a variance that allows for heterogeneity (Doi et al. 2015)",
    }
    return _table(["`model=`", "meaning"], ((f"`{name}`", said[name]) for name in MODELS))


def other_choices() -> str:
    return "\n".join(
        [
            f"- Interval of τ², `fit.heterogeneity_interval(method)`: {_code(INTERVALS)}.",
            f"- The one a result is reported with, `tau2_interval=`: {_code(TAU2_INTERVALS)}.",
            f"- I², `i2=`: {_code(I2_CONVENTIONS)}.",
        ]
    )


def profiles() -> str:
    options = list(dict.fromkeys(option for rows in PROFILES.values() for option in rows))

    def rows() -> Iterable[Iterable[str]]:
        for option in options:
            cells = []
            for name, conventions in PROFILES.items():
                mark = " †" if option in UNVERIFIED.get(name, ()) else ""
                cells.append(f"{conventions[option]}{mark}" if option in conventions else "–")
            yield f"`{option}`", *cells

    note = "† taken from documentation, not yet checked against the program's own files; results say so."
    return _table(["convention", *(f"`{name}`" for name in PROFILES)], rows()) + "\n\n" + note


def formulas() -> str:
    return _table(["convention", "value", "formula"], ((f"`{c}`", f"`{v}`", text) for (c, v), text in FORMULAS.items()))


def _first(text: str | None) -> str:
    """The first paragraph of a docstring, in Markdown."""
    found = (text or "").strip().split("\n\n")[0].replace("\n", " ")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", found).replace("``", "`")


def _signature(name: str, value: Any) -> str:
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return name
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    plain = [p for p in plain if not p.name.startswith("_")]
    text = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return f"{name}{text.replace('mappingproxy({})', '{}').replace('<factory>', '...')}"


def _members(value: type) -> Iterable[tuple[str, str]]:
    for name, member in sorted(vars(value).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"`.{name}`", _first(member.fget.__doc__ if member.fget else "")
        elif inspect.isfunction(member):
            call = _signature(f".{name}", member).replace("(self, ", "(").replace("(self)", "()")
            yield f"`{call}`", _first(member.__doc__)


#: What the tables among the public names hold, and where they are documented.
TABLES_OF_NAMES = {
    "MEASURES": "Every effect measure, by code: [measures](measures.md).",
    "PROFILES": "Every convention of every profile: [profiles](estimators-and-conventions.md#profiles).",
    "TAU2_ESTIMATORS": "Every estimator of τ², by name: [estimators](estimators-and-conventions.md#estimators-of-τ²).",
    "convert": "From what reports print to means, SDs, variances and tables: [conversions](convert.md).",
}


def public_names() -> str:
    parts = []
    for name in sorted(balm.PUBLIC, key=str.lower):
        value = getattr(balm, name)
        parts += [f"## {name}", ""]
        if name in TABLES_OF_NAMES:
            parts += [TABLES_OF_NAMES[name], ""]
            continue
        doc = inspect.getdoc(value) or ""
        parts += ["```text", _signature(f"balm.{name}", value), "```", "", _first(doc), ""]
        rest = doc.split("\n\n", 1)[1] if "\n\n" in doc else ""
        if rest:
            parts += ["```text", rest, "```", ""]
        members = list(_members(value)) if inspect.isclass(value) else []
        if members:
            parts += [_table(["member", "meaning"], members), ""]
    return "\n".join(parts)


def public_index() -> str:
    def rows() -> Iterable[Iterable[str]]:
        for name in sorted(balm.PUBLIC, key=str.lower):
            value = getattr(balm, name)
            said = TABLES_OF_NAMES.get(name) or _first(inspect.getdoc(value))
            yield f"[`balm.{name}`](#{name.lower()})", said

    return _table(["name", "what it does"], rows())


def commands() -> str:
    rows = ((f"[`balm {name}`](reference/command-line.md#balm-{name})", text) for name, (_, text) in COMMANDS.items())
    return _table(["command", "does"], rows)


def _head(page: Path) -> tuple[str, str, str]:
    """Title, first paragraph and first image of a page."""
    text = page.read_text("utf-8")
    title = next((line[2:] for line in text.split("\n") if line.startswith("# ")), page.stem)
    paragraphs = [p.strip() for p in text.split("\n\n")[1:]]
    first = next((p for p in paragraphs if p and p[0] not in "#<`!|-"), "").replace("\n", " ")
    image = re.search(r"!\[[^\]]*\]\((images/[^)]+)\)", text)
    return title, first, image.group(1) if image else ""


def _pages(shelf: str) -> list[Path]:
    return sorted(p for p in (DOCS / shelf).glob("*.md") if p.name != "README.md")


def gallery() -> str:
    def rows() -> Iterable[Iterable[str]]:
        for page in _pages("worked-examples"):
            title, first, image = _head(page)
            thumbnail = f'<a href="{page.name}"><img src="{image}" width="220" alt="{title}"></a>' if image else ""
            yield thumbnail, f"**[{title}]({page.name})**<br>{first}"

    return _table(["", ""], rows())


def _shelf(shelf: str) -> str:
    return "\n".join(f"- [{_head(page)[0]}]({shelf}/{page.name})" for page in _pages(shelf))


TABLES: dict[str, Callable[[], str]] = {
    "claims-labelled": claims.table,
    "claims-fresh": claims.fresh_table,
    "claims-second": claims.second_table,
    "measures": measures,
    "arguments": arguments,
    "tau2-estimators": tau2_estimators,
    "inferences": inferences,
    "predictions": predictions,
    "models": models,
    "other-choices": other_choices,
    "profiles": profiles,
    "formulas": formulas,
    "public-names": public_names,
    "public-index": public_index,
    "commands": commands,
    "gallery": gallery,
    "shelf-worked-examples": lambda: _shelf("worked-examples"),
    "shelf-how-to": lambda: _shelf("how-to"),
    "shelf-explanation": lambda: "\n".join(filter(None, [_shelf("explanation"), _shelf("decisions")])),
    "shelf-reference": lambda: _shelf("reference"),
    "risk-of-bias-instruments": risk_of_bias.instruments,
    "risk-of-bias-words": risk_of_bias.words,
    "risk-of-bias-rules": risk_of_bias.rules,
    "validation-families": validation.families,
    "validation-limited": validation.limited,
    "validation-aside": validation.aside,
    "validation-analyses": validation.analyses,
    "validation-revman": validation.revman,
    "validation-published": validation.published,
    "validation-exceptions": validation.exceptions,
    "worked-examples": worked_examples.table,
}
