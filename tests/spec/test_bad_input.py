"""Bad input: each fault gives one clear error, or a stated and correct result; no traceback, no NumPy warning.

The same faults come in through Python and through the command line. Warnings are errors in this suite, so a warning
that reaches a user fails the test that meets it.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import balm
from balm.cli.main import main
from balm.stats.profiles import PROFILES
from balm.vocabulary.problems import InputError

TWO_BY_TWO = {"events_1": [4, 6, 3], "n_1": [123, 306, 231], "events_2": [11, 29, 11], "n_2": [139, 303, 220]}
MEANS = {"mean_1": [55, 27], "sd_1": [47, 7], "n_1": [155, 31], "mean_2": [75, 29], "sd_2": [64, 4], "n_2": [156, 32]}
STUDIES = ["Aronson 1948", "Ferguson 1949", "Rosenthal 1960"]


def with_value(columns, name, value):
    """The columns with the second study's ``name`` replaced."""
    changed = {key: list(values) for key, values in columns.items()}
    changed[name][1] = value
    return changed


def refused(call):
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory of its own, so that whatever is written can be seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(path, columns, study=STUDIES):
    names = ["study", *columns]
    rows = zip(study, *columns.values(), strict=False)
    path.write_text("\n".join(",".join(str(cell) for cell in row) for row in [names, *rows]) + "\n", encoding="utf-8")
    return str(path)


def command_refuses(capsys, folder, *words, status=1):
    """Run the command; the lines it says on the standard error, and nothing else, nowhere."""
    before = sorted(folder.rglob("*"))
    got = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert got == status, captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert "defect" not in captured.err, captured.err
    lines = captured.err.splitlines()
    assert lines
    assert all(line.startswith("balm: ") for line in lines)
    assert sorted(folder.rglob("*")) == before, "something was written"
    return [line.removeprefix("balm: ") for line in lines]


# -- values that no trial can have -------------------------------------------------------------------------------------

IMPOSSIBLE = [
    # measure, columns, column, value, what the message says of it
    ("MD", MEANS, "sd_1", -7, "sd_1 must be above 0; got -7"),
    ("MD", MEANS, "sd_2", 0, "sd_2 must be above 0; got 0"),
    ("MD", MEANS, "n_1", 0, "n_1 must be a whole number, 1 or more; got 0"),
    ("MD", MEANS, "n_2", -3, "n_2 must be a whole number, 1 or more; got -3"),
    ("RR", TWO_BY_TWO, "n_1", 306.5, "n_1 must be a whole number, 1 or more; got 306.5"),
    ("OR", TWO_BY_TWO, "events_2", -1, "events_2 must be a whole number, 0 or more; got -1"),
    ("RD", TWO_BY_TWO, "events_1", 2.5, "events_1 must be a whole number, 0 or more; got 2.5"),
    ("RR", TWO_BY_TWO, "events_1", 307, "events_1 (307) exceed the people in the group, n_1 (306)"),
    ("PETO", TWO_BY_TWO, "events_2", 612, "events_2 (612) exceed the people in the group, n_2 (303)"),
    ("GEN", {"effect": [0.1, 0.2], "variance": [0.1, 0.1]}, "variance", -0.1, "variance must be above 0; got -0.1"),
    ("GEN", {"effect": [0.1, 0.2], "se": [0.1, 0.1]}, "se", -0.3, "se must be above 0; got -0.3"),
    ("GEN", {"effect": [0.1, 0.2], "se": [0.1, 0.1]}, "se", 0, "se must be above 0; got 0"),
]


@pytest.mark.parametrize(("measure", "columns", "name", "value", "message"), IMPOSSIBLE)
def test_an_impossible_value_names_study_column_and_value(measure, columns, name, value, message):
    said = refused(
        lambda: balm.effect_sizes(measure, study=STUDIES[: len(columns[name])], **with_value(columns, name, value))
    )
    assert f"Ferguson 1949: {message}" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("measure", "columns", "name", "value", "message"), IMPOSSIBLE)
def test_in_a_table_it_names_file_row_and_column(capsys, folder, measure, columns, name, value, message):
    path = table(folder / "t.csv", with_value(columns, name, value))
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", measure)
    assert line.startswith(f"{path}, row 2, column {name}: Ferguson 1949: {message}")


@pytest.mark.parametrize("name", ["effect", "variance"])
@pytest.mark.parametrize("value", [math.nan, None])
def test_a_missing_effect_or_variance_names_study_and_field(name, value):
    columns = with_value({"effect": [0.1, 0.2, 0.3], "variance": [0.1, 0.1, 0.2]}, name, value)
    said = refused(lambda: balm.effect_sizes("GEN", study=STUDIES, **columns))
    assert f"Ferguson 1949: {name} is missing" in said
    assert "missing='drop'" in said
    assert name in refused(
        lambda: balm.EffectSizes(**{**columns, name: np.array(columns[name], dtype=float)}, study=STUDIES)
    )


def test_dropping_must_be_asked_for_and_is_listed():
    columns = with_value({"effect": [0.1, 0.2, 0.3], "variance": [0.1, 0.1, 0.2]}, "effect", math.nan)
    es = balm.effect_sizes("GEN", study=STUDIES, missing="drop", **columns)
    assert es.study == ("Aronson 1948", "Rosenthal 1960")
    assert es.dropped == ("Ferguson 1949",)


@pytest.mark.parametrize("value", ["inf", "-inf", "1e999"])
def test_an_infinite_value_is_refused(value):
    columns = with_value(MEANS, "mean_1", float(value))
    assert "Ferguson 1949: mean_1 must be a number" in refused(
        lambda: balm.effect_sizes("MD", study=STUDIES[:2], **columns)
    )


def test_zero_variance_says_how_it_arises():
    said = refused(lambda: balm.EffectSizes(effect=[0.1, 0.2], variance=[0.1, 0.0], study=STUDIES[:2]))
    assert "Ferguson 1949" in said
    assert "rounded" in said
    assert "zero cells" in said


def test_negative_variance_is_refused_without_measure_or_labels():
    assert "-0.1" in refused(lambda: balm.EffectSizes(effect=[0.1, 0.2], variance=[0.1, -0.1]))


def test_all_that_is_wrong_is_said_at_once(capsys, folder):
    columns = with_value(with_value(MEANS, "sd_1", -7), "n_2", 0)
    columns["sd_2"][0] = 0
    path = table(folder / "t.csv", columns)
    lines = command_refuses(capsys, folder, "pool", path, "--measure", "MD")
    assert [line.split(":")[0].removeprefix(f"{path}, ") for line in lines] == [
        "row 1, column sd_2",
        "row 2, column sd_1",
        "row 2, column n_2",
    ]


# -- cells of a table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("twelve", "'twelve' is not a number"),
        ("12 (3%)", "'12 (3%)' is not a number; give one number a cell"),
        ("<5", "'<5' is not a number; a bound is not a value: leave the cell empty or give the exact value"),
        ("1_0", "'1_0' is not a number"),
        ("inf", "'inf' is not a number"),
        ("1e999", "'1e999' is too large for a number"),
    ],
)
def test_text_in_a_number(capsys, folder, cell, message):
    path = table(folder / "t.csv", with_value(TWO_BY_TWO, "events_1", cell))
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR")
    assert line == f"{path}, row 2, column events_1: {message}"


@pytest.mark.parametrize("cell", ["", "NaN", "NA", "nan"])
def test_an_empty_cell_is_missing_and_never_zero(capsys, folder, cell):
    path = table(folder / "t.csv", with_value(TWO_BY_TWO, "events_1", cell))
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR")
    assert line.startswith(f"{path}, row 2, column events_1: Ferguson 1949: events_1 is missing")


def test_rows_with_an_empty_cell_are_left_out_when_asked(capsys, folder):
    path = table(folder / "t.csv", with_value(TWO_BY_TWO, "events_1", ""))
    assert main(["pool", path, "--measure", "RR", "--missing", "drop", "--no-forest"]) == 0
    out = capsys.readouterr().out
    assert "Across 2 studies" in out
    assert "Ferguson 1949: left out, a value is missing" in out


def test_a_row_twice_would_count_twice(capsys, folder):
    columns = {name: [*values, values[0]] for name, values in TWO_BY_TWO.items()}
    path = table(folder / "t.csv", columns, [*STUDIES, STUDIES[0]])
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR")
    assert line == (
        f"{path}, row 4, column study: 'Aronson 1948' repeats row 1 with the same numbers; "
        "a study counts once: remove one of them"
    )


def test_missing_columns_are_all_named_with_those_there_are(capsys, folder):
    path = table(folder / "t.csv", {name: TWO_BY_TWO[name] for name in ("events_1", "n_1")})
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR")
    assert "not found: events_2, n_2; the table has study, events_1, n_1" in line


@pytest.mark.parametrize(("flag", "value"), [("--by", "drug"), ("--study", "trial")])
def test_an_unknown_column(capsys, folder, flag, value):
    path = table(folder / "t.csv", TWO_BY_TWO)
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR", flag, value)
    assert line == f"{path}: has no column {value!r}; it has study, events_1, n_1, events_2, n_2"


def test_a_study_without_a_subgroup(capsys, folder):
    path = table(folder / "t.csv", {**TWO_BY_TWO, "drug": ["a", "", "b"]})
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR", "--by", "drug")
    assert line == f"{path}, row 2, column drug: is empty; every study needs a subgroup"


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_utf8(capsys, folder):
    (folder / "t.csv").write_bytes("study,n\nJérôme,3\n".encode("latin-1"))
    (line,) = command_refuses(capsys, folder, "pool", "t.csv", "--measure", "RR")
    assert line.startswith("t.csv: line 2, byte 2 (0xE9) is not UTF-8; save the file again as CSV UTF-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (b"study,events_1,n_1,events_2,n_2\n", "has a header (line 1) but no rows under it"),
        (b"study,n_1,n_1\nA,1,1\n", "2 columns are called 'n_1'"),
        (b"study,n_1\nA\n", "1 cell where the header has 2"),
        (b"PK\x03\x04", "is a spreadsheet workbook"),
        (bytes(range(256)), "NUL byte"),
    ],
)
def test_a_file_that_is_no_table(capsys, folder, content, message):
    (folder / "t.csv").write_bytes(content)
    (line,) = command_refuses(capsys, folder, "pool", "t.csv", "--measure", "RR")
    assert line.startswith("t.csv")
    assert message in line


def test_a_file_of_200_mb(capsys, folder):
    with open(folder / "huge.csv", "wb") as stream:
        stream.truncate(200 * 1024**2)
    (line,) = command_refuses(capsys, folder, "pool", "huge.csv", "--measure", "RR")
    assert line.startswith("huge.csv: is 200 MB; a table of studies may have at most 64 MB")


def test_a_file_that_is_not_there(capsys, folder):
    assert command_refuses(capsys, folder, "pool", "none.csv", "--measure", "RR") == ["none.csv: no such file"]
    assert command_refuses(capsys, folder, "pool", ".", "--measure", "RR") == [
        ".: is a folder; give the table inside it"
    ]


@pytest.mark.parametrize(
    ("target", "message"), [("f.gif", "must end in one of"), ("no/f.svg", "there is no folder 'no'")]
)
@pytest.mark.parametrize("flag", ["--forest", "--funnel"])
def test_a_figure_that_cannot_be_written_is_said_before_anything_is_computed(capsys, folder, flag, target, message):
    (line,) = command_refuses(capsys, folder, "pool", "none.csv", "--measure", "RR", flag, target)
    assert message in line


# -- options -----------------------------------------------------------------------------------------------------------

UNKNOWN = [
    ("measure", "rr", "RR"),
    ("measure", "XX", None),
    ("model", "fixed", "common"),
    ("tau2", "reml", "REML"),
    ("inference", "hksj", "hartung-knapp"),
    ("inference", "knha", "hartung-knapp"),
    ("prediction", "t-k1", "t-k-1"),
    ("profile", "revman", "revman5"),
    ("to", "only0", "only-zero"),
]


@pytest.mark.parametrize(("name", "value", "nearest"), UNKNOWN)
def test_an_unknown_option_lists_those_known_and_the_nearest(name, value, nearest):
    def call():
        if name in ("measure", "to"):
            balm.effect_sizes(**{"measure": "RR", name: value}, **TWO_BY_TWO)
        else:
            balm.pool(balm.effect_sizes("RR", **TWO_BY_TWO), **{name: value})

    said = refused(call)
    assert said.startswith(f"{name} must be one of [")
    assert f"got {value!r}" in said
    assert nearest is None or f"(did you mean {nearest!r}?)" in said


@pytest.mark.parametrize(("name", "value", "nearest"), UNKNOWN)
def test_on_the_command_line_it_is_wrong_usage(capsys, folder, name, value, nearest):
    path = table(folder / "t.csv", TWO_BY_TWO)
    given = ["--measure", "RR"] if name != "measure" else []
    lines = command_refuses(capsys, folder, "pool", path, *given, f"--{name}", value, status=2)
    assert lines[0].startswith(f"argument --{name}: must be one of [")
    assert nearest is None or f"(did you mean {nearest!r}?)" in lines[0]
    assert lines[1:] == ["see `balm pool --help`"]


@pytest.mark.parametrize(
    "words",
    [
        ["--level", "95"],
        ["--level", "0"],
        ["--level", "nan"],
        ["--add", "-1"],
        ["--tau2", "-0.1"],
        ["--tau2", "inf"],
        ["--forest", "f.svg", "--no-forest"],
        ["--bogus"],
    ],
)
def test_a_value_out_of_range_is_wrong_usage(capsys, folder, words):
    path = table(folder / "t.csv", TWO_BY_TWO)
    command_refuses(capsys, folder, "pool", path, "--measure", "RR", *words, status=2)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "common", "tau2": "DL"},
        {"model": "common", "prediction": "t-k-1"},
        {"model": "common", "inference": "hartung-knapp"},
    ],
)
def test_an_option_without_effect_is_refused_never_ignored(capsys, folder, options):
    es = balm.effect_sizes("RR", **TWO_BY_TWO)
    said = refused(lambda: balm.pool(es, **options))
    name = next(n for n in options if n != "model")
    assert name in said
    path = table(folder / "t.csv", TWO_BY_TWO)
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    (line,) = command_refuses(capsys, folder, "pool", path, "--measure", "RR", *words)
    assert line == said


@pytest.mark.parametrize("option", [("--tau2", "REML"), ("--add", "0.5", "--measure", "MD")])
def test_an_option_of_another_method_or_measure_is_refused(capsys, folder, option):
    if "MD" in option:
        path = table(folder / "t.csv", MEANS)
        words = option
    else:
        path = table(folder / "t.csv", TWO_BY_TWO)
        words = ("--measure", "RR", "--method", "mantel-haenszel", *option)
    (line,) = command_refuses(capsys, folder, "pool", path, *words)
    assert "has no effect" in line


def test_numbers_without_a_scale_are_not_pooled():
    said = refused(lambda: balm.pool(np.array([0.41, 0.20, 0.26])))
    assert "pool takes effect sizes" in said
    assert "balm.effect_sizes" in said


# -- few studies -------------------------------------------------------------------------------------------------------


def test_one_study_gives_its_own_effect_and_says_what_cannot_be_estimated():
    fit = balm.pool(balm.EffectSizes(effect=[-0.5], variance=[0.04], study=["Aronson 1948"]))
    z = 1.959963984540054
    assert fit.k == 1
    assert fit.estimate == -0.5
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-0.5 - z * 0.2, -0.5 + z * 0.2), rel=1e-12)
    for name in ("tau2", "i2", "q"):
        assert math.isnan(getattr(fit, name))
        assert "one study" in fit.reasons[name]
    assert math.isnan(fit.prediction_interval.low)
    assert "one study" in fit.reasons["prediction_interval"]


def test_one_study_on_the_command_line(capsys, folder):
    path = table(folder / "t.csv", {name: values[:1] for name, values in TWO_BY_TWO.items()})
    assert main(["pool", path, "--measure", "RR", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert got["k"] == 1
    assert got["tau2"] is got["i2"] is got["q"] is got["pi_low"] is None
    assert all("one study" in got["reasons"][name] for name in ("tau2", "i2", "q", "pi_low"))
    assert main(["pool", path, "--measure", "RR", "--no-forest"]) == 0
    captured = capsys.readouterr()
    assert "One study (Aronson 1948) could be analysed" in captured.out
    assert "nan" not in captured.out.lower().replace("ronan", "")
    assert captured.err == ""


def test_two_studies_fit_refuse_the_interval_without_degrees_of_freedom_and_warn_in_words():
    es = balm.EffectSizes(effect=[0.1, 0.9], variance=[0.04, 0.05], study=STUDIES[:2])
    fit = balm.pool(es, prediction="t-k-2")
    assert fit.k == 2
    assert math.isfinite(fit.estimate)
    assert math.isnan(fit.prediction_interval.low)
    assert "degrees of freedom" in fit.reasons["prediction_interval"]
    assert any("Two studies" in text for text in fit.advice)


def test_two_studies_on_the_command_line(capsys, folder):
    path = table(folder / "t.csv", {name: values[:2] for name, values in TWO_BY_TWO.items()})
    assert main(["pool", path, "--measure", "RR", "--prediction", "t-k-2", "--no-forest"]) == 0
    captured = capsys.readouterr()
    assert "Across 2 studies" in captured.out
    assert "Two studies" in captured.out
    assert captured.err == ""


# -- zero cells --------------------------------------------------------------------------------------------------------

ZERO = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}
ZERO_STUDIES = ["A", "B", "C", "D"]


def test_a_zero_cell_is_corrected_by_a_rule_named_for_the_study():
    es = balm.effect_sizes("OR", study=ZERO_STUDIES, **ZERO)
    assert "0.5 added" in es.note[0]
    assert es.note[1] == es.note[3] == ""


@pytest.mark.parametrize(("measure", "kept"), [("OR", 3), ("RR", 3), ("RD", 4)])
def test_a_double_zero_study_never_stops_the_analysis(capsys, folder, measure, kept):
    fit = balm.pool(balm.effect_sizes(measure, study=ZERO_STUDIES, **ZERO))
    assert fit.k == kept
    assert [study for study, _ in fit.excluded] == (["C"] if kept == 3 else [])
    assert all("not estimable" in why for _, why in fit.excluded)
    path = table(folder / "t.csv", ZERO, ZERO_STUDIES)
    assert main(["pool", path, "--measure", measure, "--no-forest"]) == 0
    captured = capsys.readouterr()
    assert ("C (not estimable: no events in either arm)" in captured.out) == (kept == 3)
    assert captured.err == ""


@pytest.mark.parametrize("method", ["inverse-variance", "mantel-haenszel", "peto"])
def test_nothing_estimable_is_said_in_words(capsys, folder, method):
    none = {"events_1": [0, 0], "n_1": [50, 60], "events_2": [0, 0], "n_2": [50, 60]}
    path = table(folder / "t.csv", none)
    status = main(["pool", path, "--measure", "OR" if method != "peto" else "PETO", "--method", method])
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert status in (0, 1)
    assert "Traceback" not in said
    assert "defect" not in said
    assert "Aronson 1948" in said
    assert "no events in either arm" in said
    assert " nan" not in said
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


# -- numbers that trip arithmetic --------------------------------------------------------------------------------------


def test_identical_effects_fit_and_the_guard_says_that_it_acted():
    es = balm.EffectSizes(effect=[0.1] * 4, variance=[0.1, 0.1, 0.2, 0.1])
    fit = balm.pool(es)
    wald = balm.pool(es, inference="wald")
    assert fit.estimate == pytest.approx(0.1, abs=1e-15)
    assert fit.se == pytest.approx(wald.se, rel=1e-12)
    assert any("guard" in text for text in fit.advice)
    assert "guard acted" in fit.sentence()


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
@pytest.mark.parametrize("tau2", ["DL", "REML", "PM", "ML"])
def test_the_unit_of_the_outcome_does_not_matter(scale, tau2):
    effect, variance = np.array([0.1, 0.9, -0.3, 0.5]), np.array([0.04, 0.05, 0.03, 0.1])
    plain = balm.pool(balm.EffectSizes(effect=effect, variance=variance), tau2=tau2)
    scaled = balm.pool(balm.EffectSizes(effect=effect * scale, variance=variance * scale**2), tau2=tau2)
    for name, power in (("estimate", 1), ("se", 1), ("tau2", 2), ("i2", 0), ("q", 0), ("p", 0)):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name) * scale**power, rel=1e-9), name
    assert "nan" not in scaled.sentence()


@pytest.mark.parametrize("profile", list(PROFILES))
def test_no_profile_lets_a_warning_or_a_traceback_through(capsys, folder, profile):
    path = table(folder / "t.csv", ZERO, ZERO_STUDIES)
    for measure in ("OR", "RR", "RD", "PETO"):
        assert main(["pool", path, "--measure", measure, "--profile", profile, "--no-forest"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert "nan" not in captured.out
