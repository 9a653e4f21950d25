"""One analysis on plain floats: nothing of NumPy is loaded, and the answer is NumPy's."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys

import pytest

from balm.cli import pool
from balm.cli.main import build_parser
from balm.stats.arrays import NeedsNumPy, np, plainly
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.measures import ARGUMENTS, MEASURES
from balm.stats.measures.conventions import TO
from balm.stats.plain_arrays import MOST
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.profiles import PROFILES
from balm.vocabulary.problems import InputError

#: What a column of each kind holds in a made-up table.
KINDS = {
    "count": lambda draw: draw.choice([0, 0, 1, 2, 5, 17, 40]),
    "size": lambda draw: draw.randint(41, 300),
    "time": lambda draw: draw.uniform(10.0, 900.0),
    "spread": lambda draw: draw.uniform(0.5, 9.0),
    "positive": lambda draw: draw.uniform(0.01, 2.0),
    "correlation": lambda draw: draw.uniform(-0.8, 0.8),
    "fraction": lambda draw: draw.uniform(0.1, 0.8),
    "probability": lambda draw: draw.uniform(0.001, 0.9),
}

#: Measures whose formula takes a function of SciPy, or a long sum: they go to NumPy.
BEYOND = {"R2F", "ZR2F", "RTET", "ZTET", "PBIT", "RBIS", "ZBIS", "CLESN", "AUCN", "CLESCN", "AUCCN", "PRZ"}


def table(folder, measure, k, seed, scale=1.0):
    """A table of ``k`` studies with every column the measure takes."""
    row, draw = MEASURES[measure], random.Random(seed)
    columns = [*row.columns, *(row.one_of[0] if row.one_of else ())]
    lines = [",".join(["study", *columns])]
    for i in range(k):
        cells = []
        for name in columns:
            kind = ARGUMENTS[name].kind
            value = KINDS[kind](draw) if kind in KINDS else draw.uniform(1.0, 4.0)
            value = draw.randint(1, 9) if name == "predictors" else value
            if kind in ("count", "size"):
                cells.append(str(value))
            else:
                cells.append(repr(value * scale if kind in ("spread", "real") else value))
        lines.append(",".join([f"Study {i}, {draw.choice('abc')}".replace(",", ""), *cells]))
    path = folder / f"{measure}-{k}-{seed}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def asked(*words):
    return build_parser(["pool"]).parse_args(["pool", *words])


def outcome(arguments, through):
    """Notes, what is printed and the figures as text; or the message of the error."""
    try:
        notes, printed, figures = through(lambda: pool._computed(arguments))
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return notes, printed, {name: None if f is None else f.svg for name, f in figures.items()}


def directly(work):
    return work()


def differing(a, b, where=""):
    """Where two JSON values differ by more than 1e-12."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [d for name in a for d in differing(a[name], b[name], f"{where}.{name}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differing(x, y, f"{where}[{i}]")]
    if isinstance(a, float) and isinstance(b, float):
        # Residuals, and statistics of studies that agree exactly, are rounding errors around 0.
        close = math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12 if "residual" in where else 1e-14)
        return [] if close else [(where, a, b)]
    return [] if a == b else [(where, a, b)]


def check(*words):
    """Both ways give the same text, figures and JSON."""
    for extra in ((), ("--json",)):
        arguments = asked(*words, *extra, "--forest", "f.svg", "--funnel", "g.svg")
        plain, numpy = outcome(arguments, plainly), outcome(arguments, directly)
        if isinstance(plain, list) or isinstance(numpy, list) or not extra:
            assert plain == numpy, words
        else:
            assert plain[0] == numpy[0]
            assert plain[2] == numpy[2], words
            wrong = differing(json.loads(json.dumps(plain[1])), json.loads(json.dumps(numpy[1])))
            assert not wrong, (words, wrong)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_every_measure_is_as_with_numpy(tmp_path, measure):
    for k, seed in ((1, 1), (2, 2), (3, 3), (12, 4)):
        path = table(tmp_path, measure, k, seed)
        if measure in BEYOND:
            with pytest.raises(NeedsNumPy):
                plainly(lambda path=path: pool._computed(asked(path, "--measure", measure)))
        else:
            check(path, "--measure", measure)


@pytest.mark.parametrize(
    "words",
    [
        *(["--tau2", name] for name in TAU2_ESTIMATORS if name != "GENQM"),
        *(["--inference", name] for name in INFERENCES if name not in ("profile-likelihood", "henmi-copas")),
        ["--inference", "profile-likelihood", "--tau2", "ML"],
        *(["--prediction", name] for name in PREDICTIONS if name != "confidence-distribution"),
        *(["--profile", name] for name in PROFILES),
        *(["--to", to, "--add", "0.25"] for to in TO),
        ["--model", "common"],
        ["--model", "ivhet"],
        ["--tau2", "0.25", "--level", "0.9"],
        ["--method", "mantel-haenszel"],
        ["--method", "mantel-haenszel", "--model", "random"],
        ["--method", "peto", "--measure", "OR"],
    ],
    ids=" ".join,
)
def test_every_choice_is_as_with_numpy(tmp_path, words):
    for k, seed in ((2, 5), (25, 6)):
        check(table(tmp_path, "RR", k, seed), "--measure", "RR", *words)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_every_scale_is_as_with_numpy(tmp_path, scale):
    for k, seed in ((1, 7), (2, 8), (7, 9), (60, 10)):
        check(table(tmp_path, "MD", k, seed, scale), "--measure", "MD")


@pytest.mark.parametrize(
    "text",
    [
        "effect,se\n0.3,0.1\n0.3,0.1\n0.3,0.1\n",  # ties
        "effect,se\n0,0.1\n0,0.2\n",
        "effect,se\n0.3,1e-7\n0.5,1\n-0.9,1000\n0.1,0.5\n",
        "effect,se\n1e-200,0.1\n1e-220,0.2\n",
        "effect,ci_low,ci_high\n0.3,0.1,0.5\n0.2,-0.2,0.6\n",
        "effect,p\n0.3,0.01\n0.2,1\n0.7,1e-200\n",
        "effect,se\n0.3,0.1\n0.5,1e-40\n",
        "effect,se\n0.3,0.1\n0.5,0\n",
        "effect,se\n0.3,0.1\n,0.2\n",
        "effect,se\n0.3,0.1\ntwelve,0.2\n",
        "effect,se\n1e60,0.1\n1,0.2\n",
        "effect\n0.3\n",
        "study,effect,se\nA,0.3,0.1\nA,0.3,0.1\n",
    ],
)
def test_bad_and_odd_tables_are_answered_as_with_numpy(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    check(str(path), "--measure", "GEN")
    check(str(path), "--measure", "GEN", "--missing", "drop")


def test_wrong_counts_are_named_as_with_numpy(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("study,events_1,n_1,events_2,n_2\nA,12,10,1.5,20\nB,-1,10,3,0\nC,1,10,,5\n", encoding="utf-8")
    said = outcome(asked(str(path), "--measure", "RR"), plainly)
    assert len(said) >= 4
    assert said == outcome(asked(str(path), "--measure", "RR"), directly)


def loaded(folder, *words):
    """What a process of its own printed, and the modules it had loaded at the end."""
    code = (
        "import sys; from balm.cli.main import main\n"
        f"status = main({['pool', *words]!r})\n"
        "print('\\n@', status, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    said, _, rest = done.stdout.rpartition("\n@ ")
    status, *modules = rest.split()
    assert status == "0", done.stderr
    return said, {name.partition(".")[0] for name in modules}


def test_one_analysis_loads_neither_numpy_nor_anything_built_on_it(tmp_path):
    said, modules = loaded(tmp_path, table(tmp_path, "RR", 13, 11), "--measure", "RR", "--forest", "f.svg")
    assert "Pooled" in said
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").startswith("<svg")
    assert not modules & {"numpy", "scipy", "pandas", "polars", "matplotlib"}


def test_what_plain_floats_cannot_do_goes_to_numpy(tmp_path):
    for words in (["--tau2", "GENQM"], ["--model", "ivhet", "--inference", "henmi-copas"]):
        path = table(tmp_path, "RR", 5, 12)
        said, modules = loaded(tmp_path, path, "--measure", "RR", "--no-forest", *words)
        assert "numpy" in modules
        assert said.rstrip() == outcome(asked(path, "--measure", "RR", "--no-forest", *words), directly)[1]


@pytest.mark.parametrize("tau2", ["REML", "GENQM"])
def test_the_standard_input_is_read_once_however_it_is_computed(tmp_path, tau2):
    words = [sys.executable, "-m", "balm", "pool", "-", "--measure", "GEN", "--no-forest", "--tau2", tau2]
    text = "effect,se\n0.3,0.1\n0.9,0.2\n-0.4,0.3\n"
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 studies" in done.stdout


def test_a_long_table_goes_to_numpy(tmp_path):
    path = table(tmp_path, "RR", MOST + 1, 13)
    with pytest.raises(NeedsNumPy):
        plainly(lambda: pool._computed(asked(path, "--measure", "RR")))


def test_numpy_is_back_afterwards():
    import numpy

    def refused():
        assert np.ndarray is not numpy.ndarray
        raise KeyError

    with pytest.raises(KeyError):
        plainly(refused)
    assert np.ndarray is numpy.ndarray
    assert np.polynomial.legendre.leggauss(2)[0][1] == pytest.approx(math.sqrt(1 / 3))
