"""An answer as HTML: the part that the server's page shows, and one self-contained page to read and print."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from balm.plots.figure import Figure
from balm.report.html_report.guidance_view import as_printed
from balm.report.rounding import USUAL, number
from balm.vocabulary.numbers import MINUS
from balm.vocabulary.problems import InputError

#: Numbers of a dose in the order they are read, with their headings.
NUMBERS = (
    ("bolus_mg", "Bolus"), ("bolus_ml", "Bolus, volume"), ("rate_mg_h", "Rate"), ("rate_ml_h", "Pump rate"),
    ("session_mg", "In one session"), ("session_mg_kg", "Per kilogram"), ("session_ml", "Volume of a session"),
    ("course_mg", "In the course"), ("course_mg_kg", "Course, per kilogram"),
)  # fmt: skip
#: Parts of the answer in the order of a drug monograph.
PARTS = (
    ("doses", "Doses"), ("plan", "Plan"), ("concentration", "Concentration"),
    ("contraindications", "Contraindications"), ("cautions", "Cautions"), ("interactions", "Interactions"),
    ("monitoring", "Monitoring"), ("rescue", "Rescue"), ("follow-up", "Follow-up"),
    ("contradictions", "Contradictions"), ("recommendations", "Recommendations"), ("evidence", "Evidence"),
    ("positions", "Positions"), ("gaps", "Gaps"),
)  # fmt: skip


def answer_html(answer: dict[str, Any], figure: Figure | None = None, *, opened: bool = False) -> str:
    """The answer in its JSON form as HTML without head or form; ``opened`` shows every basis at once."""
    template = _environment().get_template("answer.html")
    parts = [
        (id_, name) for id_, name in PARTS if (id_ != "plan" or answer["plan"]) and (id_ != "concentration" or figure)
    ]
    return str(
        template.render(
            a=answer, figure=figure, open=opened, numbers=_numbers, asked=_asked(answer), result=_result, parts=parts
        )
    )


def guidance_page(answer: dict[str, Any], figure: Figure | None = None, *, kept: str = "") -> str:
    """One page that needs nothing else: everything opened, to read from disk or print.

    ``kept`` says where a server keeps the calculation.
    """
    body = answer_html(answer, figure, opened=True)
    return str(_environment().get_template("page.html").render(a=answer, answer=body, style=style(), kept=kept))


@cache
def style() -> str:
    """The style of an answer."""
    return resources.files("balm.report.guidance").joinpath("guidance.css").read_text("utf-8")


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise InputError("the page needs the jinja2 package: pip install 'balm[app]'") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("balm.report", "guidance"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["digits"] = _digits
    environment.filters["host"] = _host
    environment.filters["heading"] = _heading
    environment.filters["as_printed"] = as_printed
    return environment


def _digits(value: float) -> str:
    """Four significant digits, or all digits of a whole number."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _heading(topic: str) -> str:
    """A topic as a heading: what the section says already is left out."""
    plain = topic.removeprefix("dose: ")
    return plain[:1].upper() + plain[1:]


def _host(address: str) -> str:
    host = urlsplit(address).hostname or address
    return address.removeprefix("https://") if host == "doi.org" else host.removeprefix("www.")


def _numbers(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """What is computed of a rule, with headings; a total that does not say of what is not called one of a session."""
    stated = rule["total"] is None or rule["total_per"] is not None
    names = dict(NUMBERS) if stated else dict(NUMBERS) | {"session_mg": "Total", "session_ml": "Volume of the total"}
    return [(names[key], rule["computed"][key]["text"]) for key, _ in NUMBERS if rule["computed"].get(key)]


def _asked(a: dict[str, Any]) -> str:
    asked = a["asked"]
    parts = [f"{asked['setting']} setting", asked["condition"] or "all conditions"]
    parts.append(f"{asked['weight']['value']} {asked['weight']['unit']}" if asked["weight"] else "no weight")
    parts.append(f"form {asked['drug_form']}" if asked["drug_form"] else "any form of the drug")
    if asked["comorbidities"] is not None:
        parts.append("comorbidities: " + (", ".join(asked["comorbidities"]) or "none"))
    if asked["concentration"]:
        parts.append(f"{asked['concentration']['value']} {asked['concentration']['unit']}")
    return "; ".join(parts)


def _result(e: dict[str, Any]) -> str:
    def shown(x: float) -> str:
        return number(x, USUAL, ratio=e["ratio"], minus=MINUS)

    said = f"{e['measure']} {shown(e['estimate'])}"
    if e["ci_low"] is not None:
        said += f" ({shown(e['ci_low'])} to {shown(e['ci_high'])})"
    return said
