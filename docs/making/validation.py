"""What is validated against what: the reference tests, run with their comparisons written down.

``measure()`` runs ``tests/reference`` and records every comparison of one of our numbers with a golden one, by family
and kind of analysis, in ``docs/reference/validation.json``; the tables of ``docs/reference/validation.md`` are made
from that file, so that pages can be made without the reference data.
"""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
RECORD = DOCS / "reference" / "validation.json"

#: Family of golden results -> what it is compared with, in words.
AGAINST = {
    "escalc": "metafor 5.1: effect sizes and variances of every measure, zero-cell rule and variance type",
    "uni": "metafor 5.1: τ² estimators, intervals, prediction and heterogeneity intervals, BLUPs, weights",
    "mh_peto": "metafor 5.1: Mantel-Haenszel and Peto, leave-one-out and cumulative",
    "metareg": "metafor 5.1: meta-regression, location-scale models, subgroup tests, contrasts, comparison, influence",
    "permutest": "metafor 5.1: exact permutation tests",
    "diagnostics": "metafor 5.1: leave-one-out, cumulative, influence, residuals, Baujat, GOSH, likelihood profiles",
    "bias": "metafor 5.1: funnel tests, rank test, trim and fill, fail-safe N, excess significance, PET-PEESE",
    "multilevel": "metafor 5.1: three-level models",
    "multivariate": "metafor 5.1 and mixmeta 1.2: multivariate, longitudinal, spatial and phylogenetic models",
    "rve": "clubSandwich 0.6 and robumeta 2.0: cluster-robust standard errors and tests",
    "glmm": "metafor 5.1: binomial-normal, conditional and Poisson-normal models, tests of heterogeneity",
    "selmodel": "metafor 5.1 and weightr 2.0: selection models, fixed and estimated weights, likelihood-ratio tests",
    "bayes": "bayesmeta 3.4: posteriors of mean and τ under ten priors, prediction, shrinkage, Bayes factors",
    "dta": "mada 0.5.12, lme4 1.1 and metafor 5.1: bivariate and HSROC models, summary accuracy, pooled ratios, PHM",
    "dose_response": "dosresmeta 2.2: reconstructed covariances, linear, quadratic and spline trends, both stages",
    "meta_pkg": "meta 8.3: metagen, metabin, metacont, metaprop and the rest, prediction intervals, bias tests",
    "netmeta": "netmeta: estimates, Q by design, P-scores, splitting, contributions, components, networks of counts",
    "misc": "metafor 5.1 and others: converters, transformations, aggregation, p-value combination",
}

#: Where the reference is the less exact one, or compares something else: family, what, why, and where it is shown.
EXCEPTIONS = (
    (
        "bayes",
        "some quantiles, standard deviations and modes",
        "the reference discretises τ: where a number leaves its tolerance, plain adaptive integration (probabilities, "
        "moments) or the density at both places (modes, joint maxima) is asked, and takes our side",
        "`tests/reference/test_bayes.py`",
    ),
    (
        "metareg",
        "models through the origin with a numeric moderator",
        "the reference's Q_E is not the least-squares minimum, and its τ² has the lower restricted likelihood; both "
        "are shown before the case is left out",
        "`tests/reference/test_metareg.py`",
    ),
    (
        "metareg",
        "standard errors of scale coefficients, one location-scale model",
        "the likelihood is flat and the reference stops short of its maximum: ours is higher, and its standard errors "
        "are our curvature at its own point",
        "`tests/reference/test_metareg.py`",
    ),
    (
        "meta_pkg",
        "Jackson's and Biggerstaff-Jackson's intervals of τ²",
        "the reference searches to 1.2e-4 in τ², and once stops at its upper limit; our end there was confirmed by "
        "its probability, integrated anew (0.025, where theirs has 0.045)",
        "`tests/reference/test_metagen.py`",
    ),
    (
        "uni",
        "Henmi-Copas intervals, beside metafor's own default",
        "by default `hc` searches its critical value to 1.2e-4, so that ends differ by up to 2.4e-4; with "
        "`control=list(tol=1e-12)` it gives ours to 1e-9, and so does adaptive quadrature from dense matrices",
        "`tests/unit/stats/test_henmi_copas.py`",
    ),
    (
        "meta_pkg",
        "one fit by ML: not compared",
        "the likelihood has two maxima; ours is higher by more than 1",
        "`tests/reference/test_metagen.py`",
    ),
    (
        "rve",
        "two CR3 covariances where one cluster alone carries a coefficient: not compared",
        "leaving that cluster out loses the coefficient; the reference divides by what rounding left (standard errors "
        "of 5 or 6), ours refuses by name",
        "`tests/reference/test_rve.py`",
    ),
    (
        "uni, bias",
        "τ² of REML, ML, EB, PM and of the iterated estimators, where variances are small or the root is at zero",
        "the reference stops at a step of 1e-12 in τ² (1e-5 by its own default), whatever the scale; ours is compared "
        "with the root in 40 digits instead",
        "`tests/reference/test_uni.py`",
    ),
    (
        "uni",
        "generalised-Q intervals of τ²",
        "the reference searches to 1.2e-4 in τ²; the ends are checked by their probability in unit tests",
        "`tests/reference/test_uni.py`",
    ),
    (
        "uni",
        "ML of seven trials whose variances lie 7,500 apart",
        "the likelihood has two maxima; the reference is at τ² = 0, ours at 1.08, where the log-likelihood is 1.59 "
        "higher",
        "`tests/reference/test_uni.py`, `tests/unit/stats/test_hills.py`",
    ),
    (
        "bias",
        "general fail-safe N of four data sets",
        "the reference's REML iterations stopped early; the number is the same at the τ² where they stopped",
        "`tests/reference/test_bias.py`",
    ),
    (
        "escalc",
        "tetrachoric correlations",
        "the reference's search stops at about 1e-4; ours solves the equation, shown in 20 digits",
        "`tests/reference/test_escalc.py`",
    ),
    (
        "escalc",
        "unbiased correlations near 0 with an even n",
        "the reference's hypergeometric function loses digits there; ours is compared with 30-digit arithmetic",
        "`tests/reference/test_escalc.py`",
    ),
    (
        "mh_peto",
        "rate difference of one data set with large counts",
        "32-bit counts overflowed in the reference; it was run again with the counts as doubles",
        "`tests/reference/test_mh_peto.py`",
    ),
    (
        "multilevel, multivariate",
        "variance components",
        "the reference's optimiser stops short of the maximum; a difference passes only where our log-likelihood is "
        "the higher one, and the gradient left over is reported as `.residual`; at mixmeta's own matrix its "
        "coefficients, covariance and log-likelihood are ours to 1e-8",
        "`tests/reference/test_multilevel.py`, `tests/reference/test_multivariate.py`",
    ),
    (
        "glmm",
        "standard errors and Wald's statistic under random study levels; some standard errors of conditional models",
        "the reference takes second derivatives by differences of an approximation that is itself iterative; ours "
        "agree with a slow twin, Wald's statistic there is not compared, and estimates differ only where our "
        "log-likelihood is the higher one (0.006 once, where it stands on the lower of two maxima). Its logLik for "
        "models fitted by quadrature is that of the counts given the predicted effects; both are compared",
        "`tests/reference/test_glmm.py`, `tests/unit/stats/test_glmm.py`",
    ),
    (
        "meta_pkg",
        "Copas models: some means, and standard errors where the correlation lies on its bound of 0.9999",
        "the reference climbs from one start and prints errors there that it took over from other rows; a mean that "
        "differs passes only where no tau² and correlation lift its likelihood to ours. Both are fitted at the chances "
        "of selection that its printed probabilities imply; the adjusted mean is the same row in all twelve",
        "`tests/reference/test_copas.py`",
    ),
    (
        "selmodel",
        "weights at a bound, a second maximum, and standard errors of one half-normal model",
        "the reference holds weights below 100 (or above 0.01) and climbs from one start; a difference passes only "
        "where our log-likelihood is the higher one (by 1.54 once). Its integrals are good to four digits, which costs "
        "the errors 2 %; ours are checked by direct integration",
        "`tests/reference/test_selmodel.py`, `tests/unit/stats/test_selection.py`",
    ),
    (
        "dta",
        "areas under the curve, Q of pooled ratios, and Mantel-Haenszel estimates and standard errors with zero cells",
        "the reference divides 98 trapezia by 99, takes Q on other weights or scales, weighs corrected ratios by raw "
        "counts, and its standard errors lack a term or take other cells than the published formulas; each of its "
        "figures is computed by its own rule and agrees, and ours follow the formulas",
        "`tests/reference/test_accuracy.py`",
    ),
    (
        "multilevel",
        "compound symmetry with a correlation below -1/(m - 1)",
        "the reference's estimate is no covariance matrix; ours stops at the bound and says so",
        "`tests/reference/test_multilevel.py`",
    ),
    (
        "multilevel",
        "Cook's distances of one data set",
        "the reference lists the clusters in another order; compared in order of size",
        "`tests/reference/test_multilevel.py`",
    ),
    (
        "dose_response",
        "covariances by Hamling's method, and what rests on them; one by Greenland and Longnecker's",
        "the reference takes the effective counts of rates from the formula of risks and the other way round (its "
        "correlations lie on that curve to 1e-11 and have not the reported variances), its search misses the totals "
        "by up to 4e-5, and one of its matrices has correlations of 1.03, from negative counts; ours have the "
        "reported ratios, variances and totals to rounding",
        "`tests/reference/test_dose_response.py`",
    ),
    (
        "bias",
        "trim and fill where the reference's τ² stopped early",
        "compared again at the reference's own τ²",
        "`tests/reference/test_bias.py`",
    ),
    (
        "diagnostics, meta_pkg",
        "rows the reference leaves empty, and heterogeneity of a single study",
        "its iteration did not converge, where ours does; of one study heterogeneity is not estimable (not 0)",
        "`tests/reference/test_leave_one_out.py`",
    ),
)


#: Measures whose reference is a search with a loose stop; counted by themselves so that the rest is shown as it is.
TETRACHORIC = ("RTET", "ZTET")
TETRACHORIC_LABEL = ", tetrachoric"


#: The reference's advice where a case names no tolerance of its own; 1e-8 otherwise.
ADVISED = {"diagnostics": 1e-7}

#: Up to here a number of the reference has a closed form or is the root of an equation; up to SEARCHED it was found by
#: a search or an iteration; beyond, the reference's own figure is no better, for a reason that LIMITED gives.
CLOSED, SEARCHED = 1.0000001e-8, 1.0000001e-5

#: Family and analysis -> why the reference itself is not known better than 1e-5.
LIMITED = {
    ("bayes", "bayesmeta"): "it adds up over a grid of τ",
    ("dose_response", "dosresmeta"): "its optimiser; covariances by a search that stops early (six cases, shown apart)",
    ("dose_response", "predict"): "predictions from such fits",
    ("dose_response", "wald"): "tests from such fits",
    ("dta", "glmer"): "its optimiser, and Laplace's approximation",
    ("dta", "hsroc"): "parameters of fits by its optimiser",
    ("dta", "phm"): "its optimiser",
    ("dta", "reitsma"): "its optimiser",
    ("escalc", "escalc, tetrachoric"): "its search stops at about 1e-4",
    ("glmm", "rma.glmm"): "its optimisers, quadrature with seven nodes, and derivatives by differences",
    ("meta_pkg", "copas"): "its optimiser, from one start",
    ("meta_pkg", "metaprop"): "binomial-normal models by lme4's optimiser",
    ("metareg", "rma.ls"): "the likelihood of location-scale models is flat, and its optimiser stops",
    ("misc", "rma.mv"): "its optimiser",
    ("multilevel", "I2"): "variance components by its optimiser",
    ("multilevel", "confint"): "its search along the profile",
    ("multivariate", "rma.mv"): "its optimiser, with spatial and unstructured covariances",
    ("netmeta", "netmetabin"): "its iteration for the non-central hypergeometric model",
    ("selmodel", "selmodel"): "its optimiser, and derivatives by differences",
    ("selmodel", "weightr"): "its integrals are good to four digits, its optimiser stops early",
}

#: Family and analysis -> what was set aside, in the words of the list of exceptions.
ASIDE = {
    ("bayes", "bayesmeta"): "plain adaptive integration, or the density at both places, takes our side",
    ("bias", "trimfill"): "its τ² stopped early; all agree at that τ²",
    ("dose_response", "dosresmeta"): "its optimiser stopped below our maximum of the same likelihood",
    ("glmm", "rma.glmm"): "second derivatives by differences: ours agree with a slow twin; estimates differ only where "
    "our likelihood is the higher one (once it is at the lower of two maxima)",
    (
        "meta_pkg",
        "copas",
    ): "one start: our likelihood is the higher one; errors taken over from other rows at the bound",
    ("metareg", "metareg"): "its Q_E through the origin is not the least-squares minimum",
    ("multilevel", "cooks.distance"): "clusters in another order; compared in order of size",
    ("multivariate", "mixmeta"): "its optimiser stopped early: our likelihood is the higher one, and at its matrix all "
    "agree to 1e-8",
    ("multivariate", "rma.mv"): "its optimiser stopped early: our likelihood is the higher one",
    ("netmeta", "netmetabin"): "its iteration stopped early: our likelihood is the higher one",
    ("selmodel", "weightr"): "weights at its bounds, one start: our likelihood is the higher one",
    ("uni", "confint"): "its search for intervals of τ² stops early: ours is the root, in 40 digits",
    (
        "uni",
        "rma.uni",
    ): "its iteration stops at a step of 1e-12 in τ², whatever the scale; in one data set the likelihood "
    "has two maxima and ours is the higher one",
    ("uni", "weights"): "follows such a τ²",
}


#: Results that RevMan stored in the files of published reviews.
REVMAN = "revman"


class Seen:
    """Comparisons of one kind of analysis that were asked for with one tolerance."""

    def __init__(self) -> None:
        self.numbers = 0
        self.largest = 0.0
        self.looser = 0
        self.aside: dict[str, tuple[int, float]] = {}

    def add(self, got: float, want: float, agrees: bool, field: str, looser: bool) -> None:
        self.numbers += 1
        self.looser += looser
        both = math.isfinite(got) and math.isfinite(want)
        difference = abs(got - want) / max(1.0, abs(want)) if both else 0.0
        if agrees:
            self.largest = max(self.largest, difference)
        else:
            count, furthest = self.aside.get(field, (0, 0.0))
            self.aside[field] = (count + 1, max(furthest, difference))


class Kind:
    """One kind of analysis: its cases, and its comparisons by the tolerance asked for."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.by_tolerance: dict[float, Seen] = {}


class _Case(dict[str, Any]):
    """A golden case that tells the recorder when its output is read."""

    def __init__(self, given: dict[str, Any], recorder: Recorder, file: str) -> None:
        super().__init__(given)
        self.recorder, self.file = recorder, file
        self.advised = float(given.get("tol", ADVISED.get(recorder.family, 1e-8)))

    def __getitem__(self, key: str) -> Any:
        found = super().__getitem__(key)
        if key == "output":
            self.recorder.begin(self.file, self)
            if isinstance(found, dict) and not isinstance(found, _Output):
                found = self[key] = _Output(found, self.recorder)
        return found


class _Output(dict[str, Any]):
    """The output of a golden case, which tells the recorder the field that was read last."""

    def __init__(self, given: dict[str, Any], recorder: Recorder) -> None:
        super().__init__(given)
        self.recorder = recorder

    def __getitem__(self, key: str) -> Any:
        self.recorder.field = key
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.recorder.field = key
        return super().get(key, default)


def _numbers_in(value: Any) -> Iterable[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _numbers_in(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _numbers_in(entry)


class Recorder:
    """A pytest plugin that stands between the reference tests and their comparisons."""

    def __init__(self) -> None:
        from tests.reference import golden

        self.golden = golden
        self.seen: dict[str, dict[str, Kind]] = {}
        self.family = self.analysis = self.field = ""
        self.advised = math.inf
        self.place: dict[int, str] = {}  # identity of a golden number -> its field
        self.failed: list[str] = []
        self.tests = 0
        golden.close = self._closing(golden.close)
        golden.close_p = self._closing_p(golden.close_p)
        golden.load = self._loading(golden.load)

    def now(self) -> Kind:
        return self.seen.setdefault(self.family, {}).setdefault(self.analysis, Kind())

    def begin(self, file: str, case: _Case) -> None:
        self.analysis = str(case.get("analysis", ""))
        self.advised = case.advised
        given = case.get("input")
        if isinstance(given, dict) and given.get("measure") in TETRACHORIC:
            self.analysis += TETRACHORIC_LABEL
        self.now().cases.add(f"{file}/{case['id']}")

    def _loading(self, load: Callable[[Path], dict[str, Any]]) -> Callable[[Path], dict[str, Any]]:
        def loaded(path: Path) -> dict[str, Any]:
            found = load(path)
            self.family = path.parent.name
            if isinstance(found.get("cases"), list):
                for case in found["cases"]:
                    output = case.get("output")
                    for field, value in output.items() if isinstance(output, dict) else ():
                        self.place.update((id(n), field) for n in _numbers_in(value))
                found["cases"] = [_Case(case, self, path.stem) for case in found["cases"]]
            self.kept = found  # the numbers stay alive, so that their identities stay theirs
            return found

        return loaded

    def _note(self, got: Any, want: Any, tol: float, agrees: bool) -> None:
        if self.family:
            field = self.place.get(id(want), self.field)
            seen = self.now().by_tolerance.setdefault(tol, Seen())
            looser = tol > 1.0000001 * self.advised
            seen.add(self.golden.number(got), self.golden.number(want), agrees, field, looser)

    def _closing(self, close: Callable[..., bool]) -> Callable[..., bool]:
        def closer(got: Any, want: Any, tol: float = 1e-8) -> bool:
            agrees = close(got, want, tol)
            if not isinstance(want, list):
                self._note(got, want, tol, agrees)
            return agrees

        return closer

    def _closing_p(self, close_p: Callable[..., bool]) -> Callable[..., bool]:
        def closer(got: Any, want: Any, tol: float = 1e-8) -> bool:
            g, w = self.golden.number(got), self.golden.number(want)
            agrees = close_p(got, want, tol)
            if 0.0 < w < 1e-8 and g > 0.0:  # compared on the log scale, without passing through close
                self._note(got, want, tol, agrees)
            return agrees

        return closer

    def pytest_collection_finish(self) -> None:
        escalc = sys.modules.get("tests.reference.test_escalc")
        if escalc is None:
            return
        agrees = escalc.agrees  # relative, not mixed

        def noted(got: float, want: float | None, tol: float, smallest: float = 1e-3) -> bool:
            result: bool = agrees(got, want, tol, smallest)
            self._note(got, want, tol, result)
            return result

        escalc.agrees = noted

    def pytest_runtest_setup(self, item: Any) -> None:
        self.family = REVMAN if "revman" in item.path.name else ""
        self.analysis = "stored results" if self.family else ""
        self.field, self.advised = "", math.inf
        self.place.clear()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.tests += report.when == "call"
        if report.failed:
            self.failed.append(report.nodeid.split("/")[-1])


def measure() -> None:
    """Run the reference tests and write the record."""
    import pytest
    from tests.reference.golden import shared

    root = shared()
    if root is None:
        raise SystemExit("no reference data beside this checkout (../shared/reference); set BALM_SHARED")
    recorder = Recorder()
    pytest.main(["tests/reference", "-q", "-p", "no:randomly", "--no-header"], plugins=[recorder])
    index = json.loads((root / "reference" / "index.json").read_text("utf-8"))
    totals: dict[str, dict[str, int]] = {}
    for file in index["files"]:
        for analysis, count in file["analyses"].items():
            of = totals.setdefault(file["family"], {})
            of[analysis] = of.get(analysis, 0) + count
    for name, seen in recorder.seen.get("escalc", {}).items():
        if name.endswith(TETRACHORIC_LABEL):
            totals["escalc"][name] = len(seen.cases)
            totals["escalc"][name.removesuffix(TETRACHORIC_LABEL)] -= len(seen.cases)
    record = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "tests": recorder.tests,
        "revman": {**_of(recorder.seen.get(REVMAN, {}).get("stored results"), 0), "kinds": _revman(root)},
        "failed": sorted(recorder.failed),
        "families": {
            family: {
                "files": index["families"][family]["files"],
                "cases": index["families"][family]["cases"],
                "analyses": {a: _of(recorder.seen.get(family, {}).get(a), n) for a, n in sorted(of.items())},
            }
            for family, of in sorted(totals.items())
        },
    }
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _revman(root: Path) -> dict[str, dict[str, int]]:
    """Every file of samples, read and recomputed: what it stores, what agrees, what it contradicts itself."""
    from balm.actions.revman import read_revman

    found: dict[str, dict[str, int]] = {}
    for kind, folder, patterns in (
        ("RevMan 5 files and exports", "revman", ("*.rm5", "*.csv", "*.zip")),
        ("RevMan Web data rows", "revman_web_data_rows", ("*.csv.gz",)),
    ):
        of = found[kind] = dict.fromkeys(("files", "stored", "agree", "numbers", "disagree", "inconsistent"), 0)
        for path in (p for pattern in patterns for p in sorted((root / "samples" / folder).glob(pattern))):
            done = read_revman(path).recompute()
            of["files"] += 1
            for name in ("stored", "agree", "numbers"):
                of[name] += getattr(done, name)
            for name in ("disagree", "inconsistent"):
                of[name] += len(getattr(done, name))
    return found


def _of(kind: Kind | None, total: int) -> dict[str, Any]:
    found = kind or Kind()
    return {
        "cases": total,
        "compared": len(found.cases),
        "by_tolerance": [
            {
                "tolerance": tolerance,
                "numbers": seen.numbers,
                "largest": float(f"{seen.largest:.1e}"),
                "looser": seen.looser,
                "aside": {field: [n, float(f"{far:.1e}")] for field, (n, far) in sorted(seen.aside.items())},
            }
            for tolerance, seen in sorted(found.by_tolerance.items())
        ],
    }


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return found


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(c) for c in cells) + " |"


def _count(n: int) -> str:
    return f"{n:,}"


def _largest(asked: Sequence[dict[str, Any]]) -> str:
    """How many numbers, and their largest difference, with the loosest tolerance asked of them."""
    numbers = sum(a["numbers"] for a in asked)
    if not numbers:
        return "–"
    loosest = max(a["tolerance"] for a in asked)
    return f"{_count(numbers)}: {max(a['largest'] for a in asked):.1e}" + (f" of {loosest:.0e}" if loosest else "")


def _asked(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [asked for kind in row["analyses"].values() for asked in kind["by_tolerance"]]


def _beyond(asked: Iterable[dict[str, Any]]) -> int:
    return sum(n for a in asked for n, _ in a["aside"].values())


def families() -> str:
    """A row a family: cases, numbers compared and their largest difference, by the kind of number."""
    found = record()
    heads = ["family", "against", "cases", "compared", "closed form or root", "found by search", "limited", "set aside"]
    lines = [_row(heads), "|---|---|--:|--:|--:|--:|--:|--:|"]
    for family, row in found["families"].items():
        compared = sum(k["compared"] for k in row["analyses"].values())
        if not compared:
            continue
        asked = _asked(row)
        closed = [a for a in asked if a["tolerance"] <= CLOSED]
        searched = [a for a in asked if CLOSED < a["tolerance"] <= SEARCHED]
        limited = [a for a in asked if a["tolerance"] > SEARCHED]
        counts = [_count(row["cases"]), _count(compared)]
        numbers = [_largest(a) for a in (closed, searched, limited)]
        lines.append(_row([f"`{family}`", AGAINST[family], *counts, *numbers, _count(_beyond(asked))]))
    waiting = [
        f"`{f}`" for f, row in found["families"].items() if not any(k["compared"] for k in row["analyses"].values())
    ]
    total = sum(a["numbers"] for row in found["families"].values() for a in _asked(row))
    aside = sum(_beyond(_asked(row)) for row in found["families"].values())
    lines += ["", f"In all {_count(total)} numbers, of which {_count(aside)} are set aside."]
    lines += ["", f"Golden results that nothing here is compared with yet: {', '.join(waiting) or 'none'}."]
    if found["failed"]:
        names = ", ".join(f"`{name}`" for name in found["failed"])
        lines += ["", f"Not passing when this was measured: {names}."]
    lines += ["", f"Measured in {found['tests']} tests with Python {found['python']} on {found['machine']}."]
    return "\n".join(lines)


def limited() -> str:
    """A row for each kind of analysis whose reference is not known better than 1e-5, with the reason."""
    heads = ["family", "analysis", "numbers", "tolerance", "largest difference", "what limits the reference"]
    lines = [_row(heads), "|---|---|--:|--:|--:|---|"]
    for family, name, _, asked in _kinds():
        for a in asked:
            if a["tolerance"] > SEARCHED:
                measured = [_count(a["numbers"]), f"{a['tolerance']:.0e}", f"{a['largest']:.1e}"]
                lines.append(_row([f"`{family}`", f"`{name}`", *measured, LIMITED[family, name]]))
    return "\n".join(lines)


def aside() -> str:
    """A row for each kind of number that was set aside, with the reason."""
    lines = [_row(["family", "analysis", "numbers, and the largest difference", "why"]), "|---|---|---|---|"]
    for family, name, _, asked in _kinds():
        fields: dict[str, tuple[int, float]] = {}
        for a in asked:
            for field, (n, far) in a["aside"].items():
                count, furthest = fields.get(field, (0, 0.0))
                fields[field] = (count + n, max(furthest, far))
        if fields:
            said = ", ".join(f"`{field}` {n}: {far:.1e}" for field, (n, far) in sorted(fields.items()))
            lines.append(_row([f"`{family}`", f"`{name}`", said, ASIDE[family, name]]))
    return "\n".join(lines)


def _kinds() -> Iterable[tuple[str, str, dict[str, Any], list[dict[str, Any]]]]:
    for family, row in record()["families"].items():
        for name, kind in row["analyses"].items():
            yield family, name, kind, kind["by_tolerance"]


def revman() -> str:
    """What RevMan stored in the files of published reviews, and what is computed again from their rows."""
    found = record()["revman"]
    heads = ["", "files", "pooled results", "agree", "numbers compared", "differ", "contradicted by the file itself"]
    lines = [_row(heads), "|---|--:|--:|--:|--:|--:|--:|"]
    for kind, row in found["kinds"].items():
        names = ("files", "stored", "agree", "numbers", "disagree", "inconsistent")
        lines.append(_row([kind, *(_count(row[name]) for name in names)]))
    lines += [
        "",
        "Mantel-Haenszel and Peto results, stored by RevMan 5 to sixteen digits: "
        f"{_largest(found['by_tolerance'])} is the largest difference.",
    ]
    return "\n".join(lines)


def analyses() -> str:
    """The compatibility table: a row a kind of analysis and tolerance."""
    heads = ["family", "analysis", "cases", "compared", "tolerance", "numbers", "largest difference", "set aside"]
    lines = [_row(heads), "|---|---|--:|--:|--:|--:|--:|--:|"]
    for family, name, kind, asked in _kinds():
        first = [f"`{family}`", f"`{name}`", _count(kind["cases"]), _count(kind["compared"])]
        for a in asked:
            tolerance = f"{a['tolerance']:.0e}" if a["tolerance"] else "exact"
            measured = [tolerance, _count(a["numbers"]), f"{a['largest']:.1e}", _count(_beyond([a]))]
            lines.append(_row([*first, *measured]))
            first = [f"`{family}`", f"`{name}`", "", ""]
    return "\n".join(lines)


def published() -> str:
    """A row a worked example: figures beside published ones, read from the pages themselves."""
    lines = [_row(["worked example", "published figures", "agree to every printed digit", "differ, with the reason"])]
    lines.append("|---|--:|--:|--:|")
    for page in sorted((DOCS / "worked-examples").glob("*.md")):
        text = page.read_text("utf-8")
        rows = [row for part in text.split("<!-- figures\n")[1:] for row in part.split("\n-->")[0].split("\n") if row]
        if rows:
            differ = sum(" | differs: " in row for row in rows)
            title = text.split("\n")[0].removeprefix("# ")
            lines.append(_row([f"[{title}](../worked-examples/{page.name})", len(rows), len(rows) - differ, differ]))
    return "\n".join(lines)


def exceptions() -> str:
    lines = [_row(["family", "what", "why", "shown in"]), "|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, EXCEPTIONS)])
