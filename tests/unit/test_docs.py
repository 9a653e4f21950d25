"""The documentation cannot drift: pages are made again, names are documented, Python blocks run, links resolve."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from docs.build import DOCS, MADE_ELSEWHERE, pages
from docs.making import validation, worked_examples
from docs.making.pages import OUTPUT, Page, Stale, rebuilt

import balm
from balm.cli.main import COMMANDS
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.heterogeneity.intervals import INTERVALS
from balm.stats.measures import ARGUMENTS, MEASURES
from balm.stats.pooling.choices import I2_CONVENTIONS, MODELS, TAU2_INTERVALS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.profiles import PROFILES
from tests.reference.golden import shared

CHECKOUT = DOCS.parent
REMEDY = "run `make docs` and look at what changed"
MARKDOWN = [*sorted(DOCS.rglob("*.md")), *sorted(CHECKOUT.glob("*.md"))]
EXAMPLES = [p for p in sorted((DOCS / "worked-examples").glob("*.md")) if p.name != "README.md"]

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")
#: The last digits of a number may depend on the machine; pages may differ by this much, relatively, or by one in the
#: last digit shown.
MACHINE = 1e-7


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@cache
def again(path: Path) -> Page:
    return rebuilt(path)


def differs(committed: str, made: str) -> str:
    """The first line that differs by more than a machine's rounding; "" where none does."""
    ours, theirs = committed.split("\n"), made.split("\n")
    for i, (a, b) in enumerate(zip(ours, theirs, strict=False), 1):
        if a != b and not same_but_rounding(a, b):
            return f"line {i}:\n  committed {a}\n  made now  {b}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} lines are committed, {len(theirs)} are made now"


def same_but_rounding(a: str, b: str) -> bool:
    # a figure's ids come from its content
    a, b = (re.sub(r"(title|desc)-[0-9a-f]{8}", r"\1", text) for text in (a, b))
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    for x, y in zip(NUMBER.findall(a), NUMBER.findall(b), strict=True):
        mantissa, _, power = x.partition("e")
        unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
        fraction = "." in x or bool(power)
        if abs(float(x) - float(y)) > (max(MACHINE * abs(float(x)), 1.01 * unit) if fraction else 0.0):
            return False
    return True


@pytest.mark.parametrize("path", pages(), ids=name)
def test_a_page_is_what_the_generator_makes_now(path: Path) -> None:
    page = again(path)
    found = differs(path.read_text("utf-8"), page.text)
    assert not found, f"{name(path)}: {REMEDY}; {found}"
    for figure, svg in page.figures.items():
        found = differs((path.parent / "images" / figure).read_text("utf-8"), svg)
        assert not found, f"{figure}: {REMEDY}; {found}"


@pytest.mark.parametrize("path", [*sorted(CHECKOUT.glob("*.md")), *(DOCS / p for p in MADE_ELSEWHERE)], ids=name)
def test_the_python_of_other_pages_runs(path: Path) -> None:
    blocks = path.read_text("utf-8").split("\n").count("```python")
    assert rebuilt(path).blocks == blocks


def test_the_readme_quotes_the_sentence_its_example_prints() -> None:
    text = (CHECKOUT / "README.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)
    quoted = re.search(r"^> (Across .*?) \.\.\.$", text, re.M)
    assert code and quoted
    names: dict[str, Any] = {}
    exec(code.group(1).split("print(")[0], names)
    assert names["fit"].sentence().startswith(quoted.group(1))


def test_figures_are_small_and_each_is_used() -> None:
    used = {m for page in EXAMPLES for m in re.findall(r"\(images/([^)]+)\)", page.read_text("utf-8"))}
    there = {p.name: p for p in (DOCS / "worked-examples" / "images").glob("*")}
    assert used == {*there}
    assert all(p.stat().st_size < 60_000 for p in there.values())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_a_worked_example_has_code_a_picture_and_published_figures(path: Path) -> None:
    text = path.read_text("utf-8")
    assert again(path).compared >= 3
    assert OUTPUT in text and "](images/" in text and "```python" in text


def test_a_published_figure_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"

    def of(row: str) -> str:
        page.write_text(f"```python\nx = 0.12345\n```\n\n<!-- figures\n{row}\n-->\n<!-- end figures -->\n", "utf-8")
        return rebuilt(page).text

    assert "| x | 0.12345 | 0.123 | table 1 | agrees |" in of("x | x | 0.123 | table 1")
    assert "| x | 0.123450 | 0.1235 | table 1 | agrees |" in of("x | x + 1e-12 | 0.1235 | table 1")
    with pytest.raises(Stale, match=r"page\.md:6: x is 0\.12345, published 0\.124"):
        of("x | x | 0.124 | table 1")
    assert "| a misprint |" in of("x | x | 0.124 | table 1 | differs: a misprint")
    with pytest.raises(Stale, match="agrees now"):
        of("x | x | 0.123 | table 1 | differs: a misprint")


def test_figures_of_a_program_are_headed_by_its_name(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- figures: R metafor 3.8\nx | 1 / 3 | 0.333 | rma()\n-->\n<!-- end figures -->\n", "utf-8")
    text = rebuilt(page).text
    assert "| | balm | R metafor 3.8 | where | |" in text and "| x | 0.33333 | 0.333 | rma() | agrees |" in text
    page.write_text(text.replace("| 0.333 |", "| 0.334 |"), "utf-8")
    with pytest.raises(Stale, match=r"is 0\.333\d+, R metafor 3\.8 0\.334"):
        rebuilt(page)


def test_every_published_analysis_is_listed_with_its_source(tmp_path: Path) -> None:
    listed = (DOCS / "reference" / "worked-examples.md").read_text("utf-8")
    for path in worked_examples.TESTS.glob("test_*.py"):
        row = worked_examples.head(path)
        assert f"`{path.name}`" in listed and row["Analysis"] in listed
    for page in EXAMPLES:
        if "<!-- figures: " in page.read_text("utf-8"):
            assert f"](../worked-examples/{page.name})" in listed
    head = tmp_path / "test_x.py"
    head.write_text('"""X.\n\nAnalysis: a\n    b\nWhere: c\nCompared: d\nFigures: e\nPage: none\n"""\n', "utf-8")
    assert worked_examples.head(head)["Analysis"] == "a b"
    head.write_text('"""X.\n\nAnalysis: a\n"""\n', "utf-8")
    with pytest.raises(worked_examples.Unnamed, match=r"test_x\.py: the docstring lacks Where"):
        worked_examples.head(head)


def test_a_block_that_fails_or_is_left_open_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n1 / 0\n```\n", "utf-8")
    with pytest.raises(Stale, match="ZeroDivisionError"):
        rebuilt(page)
    page.write_text("```python\n1\n", "utf-8")
    with pytest.raises(Stale, match="nothing closes"):
        rebuilt(page)
    page.write_text("<!-- not run: no data -->\n\n```python\n1 / 0\n```\n", "utf-8")
    assert rebuilt(page).blocks == 0


def test_output_is_replaced_not_added(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1)\n2\n```\n\nAnd then.\n", "utf-8")
    first = rebuilt(page).text
    assert first == "```python\nprint(1)\n2\n```\n\n```text output\n1\n2\n```\n\nAnd then.\n"
    page.write_text(first.replace("\n1\n2\n", "\nstale\n"), "utf-8")
    assert rebuilt(page).text == first


def section(page: str, code: str) -> bool:
    return f"`{code}`" in (DOCS / "reference" / page).read_text("utf-8")


def test_commands_are_run_on_the_files_that_the_page_shows(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: a.ris -->\n\n```\nTY  - JOUR\nTI  - Ketamine\nER  - \n```\n\n"
        "```console\n$ balm import nowhere a.ris\nan old line\n```\n"
    )
    text = rebuilt(page).text
    assert "$ balm import nowhere a.ris\n" in text and "nowhere" in text.split("a.ris\n")[-1]
    assert "an old line" not in text
    page.write_text("```console\n$ rm -r x\n```\n")
    with pytest.raises(Stale, match="only balm is run"):
        rebuilt(page)


@pytest.mark.parametrize("public", sorted(balm.PUBLIC))
def test_every_public_name_is_documented(public: str) -> None:
    page = (DOCS / "reference" / "python.md").read_text("utf-8")
    assert f"\n## {public}\n" in page
    assert re.search(rf"\[`balm\.{public}`\]\(#{public.lower()}\) \| \S.{{10}}", page), f"{public} needs a docstring"


@pytest.mark.parametrize("code", sorted({*MEASURES}))
def test_every_measure_is_documented(code: str) -> None:
    assert section("measures.md", code)
    assert MEASURES[code].source


@pytest.mark.parametrize(
    "choice",
    sorted(
        {*TAU2_ESTIMATORS, *INFERENCES, *PREDICTIONS, *PROFILES, *MODELS}
        | {*INTERVALS, *TAU2_INTERVALS, *I2_CONVENTIONS}
    ),
)
def test_every_choice_is_documented(choice: str) -> None:
    assert section("estimators-and-conventions.md", choice)


def test_every_argument_and_convention_is_documented() -> None:
    page = (DOCS / "reference" / "measures.md").read_text("utf-8")
    assert all(f"| {argument} |" in page for argument in ARGUMENTS)
    page = (DOCS / "reference" / "estimators-and-conventions.md").read_text("utf-8")
    assert all(f"| `{option}` |" in page for rows in PROFILES.values() for option in rows)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    assert f"\n## balm {command}\n" in (DOCS / "reference" / "command-line.md").read_text("utf-8")
    assert f"[`balm {command}`]" in (DOCS / "README.md").read_text("utf-8")


def test_every_name_that_a_page_promises_is_there() -> None:
    missing = []
    for path in MARKDOWN:
        for said in set(re.findall(r"`balm\.([A-Za-z_][\w.]*)", path.read_text("utf-8"))):
            first, *rest = said.rstrip(".").split(".")
            try:
                value = __import__(f"balm.{'.'.join([first, *rest])}", fromlist=["x"])
            except ImportError:
                value = getattr(balm, first, None)
                for part in rest:
                    value = getattr(value, part, None)
            if value is None:
                missing.append(f"{name(path)}: balm.{said}")
    assert not missing, missing


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made by the sites that show it."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", MARKDOWN, ids=name)
def test_links_resolve(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"", text):
        link = target[0] or target[1]
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(link)
    assert not broken, f"{name(path)}: {broken}"


def test_every_page_is_on_the_shelves() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    for shelf in ("worked-examples", "how-to", "explanation", "decisions", "reference"):
        for page in (DOCS / shelf).glob("*.md"):
            if page.name != "README.md":
                assert f"({shelf}/{page.name})" in index, page


def test_the_statement_of_validation_names_every_family_with_its_counts() -> None:
    found = validation.record()
    page = (DOCS / "reference" / "validation.md").read_text("utf-8")
    for family, row in found["families"].items():
        assert f"`{family}`" in page
        if any(k["compared"] for k in row["analyses"].values()):
            assert f"| {row['cases']:,} |" in page and validation.AGAINST[family] in page
        for kind in row["analyses"].values():
            assert kind["compared"] <= kind["cases"]
            assert all(asked["largest"] <= asked["tolerance"] for asked in kind["by_tolerance"])
    asked = [
        ((family, name), asked)
        for family, row in found["families"].items()
        for name, kind in row["analyses"].items()
        for asked in kind["by_tolerance"]
    ]
    assert sum(a["numbers"] for _, a in asked) > 400_000
    # No tolerance is looser than the reference's own advice, but for those that the page names.
    assert {kind for kind, a in asked if a["looser"]} == {
        ("dose_response", "covar.logrr"),
        ("dose_response", "dosresmeta"),
        ("escalc", f"escalc{validation.TETRACHORIC_LABEL}"),
    }
    assert not found["failed"]


def test_the_statement_of_validation_counts_the_cases_there_are() -> None:
    root = shared()
    if root is None:
        pytest.skip("no reference data beside this checkout (../shared/reference); set BALM_SHARED to point to them")
    import json

    index = json.loads((root / "reference" / "index.json").read_text("utf-8"))["families"]
    said = {f: {"files": r["files"], "cases": r["cases"]} for f, r in validation.record()["families"].items()}
    assert said == index


def said_of_each_argument(page: str) -> dict[str, set[str]]:
    """Function -> names of arguments, from the tables of a page that are headed "function | argument"."""
    named: dict[str, set[str]] = {}
    inside = False
    for line in (DOCS / "how-to" / page).read_text(encoding="utf-8").splitlines():
        inside = line.startswith("| function | argument |") or (inside and line.startswith("|"))
        if inside:
            functions, arguments, said = (cell.strip() for cell in line.strip("|").split("|", 2))
            for function in (
                ["all"] if functions == "all" else re.findall(r"`([^`]*)`", re.sub(r"\(.*?\)", "", functions))
            ):
                assert said, line
                named.setdefault(function, set()).update(re.findall(r"`([^`]*)`", arguments))
    return named


@pytest.mark.parametrize("package", ["metafor", "meta"])
def test_every_argument_of_every_function_has_its_row(package: str) -> None:
    """Each function with each of its own arguments, and nothing that does not exist there."""
    named = said_of_each_argument(f"coming-from-{package}.md")
    lines = (Path(__file__).parent / f"{package}_arguments.txt").read_text(encoding="utf-8").splitlines()
    there = {f: set(a.split()) for f, _, a in (line.partition(":") for line in lines)}
    assert len(there) > 60
    missing, invented = [], sorted(set(named) - {"all"} - set(there))
    for function, arguments in there.items():
        patterns = named.get(function, set())
        covered = {a for a in arguments if any(fnmatchcase(a, p) for p in patterns | named["all"])}
        missing += [f"{function}({a})" for a in sorted(arguments - covered)]
        missing += [] if function in named or (arguments and arguments == covered) else [function]
        invented += [f"{function}({p})" for p in sorted(patterns) if not any(fnmatchcase(a, p) for a in arguments)]
    assert missing == []
    assert invented == []
