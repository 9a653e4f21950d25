"""The frame of the command line: help without NumPy, one line for every error, statuses 0, 1 and 2."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

import balm
from balm.cli import main as cli
from balm.cli.command import Command, UsageError
from balm.cli.main import COMMANDS, build_parser, load, main
from balm.vocabulary.problems import InputError, Problem


@pytest.fixture
def command(monkeypatch):
    """Puts a command called ``try`` in place that does what the test says."""

    def install(run):
        made = Command("about", "balm try", lambda parser: None, lambda arguments: run())
        monkeypatch.setitem(COMMANDS, "try", ("balm.cli.nowhere:TRY", "try something"))
        module = SimpleNamespace(TRY=made)
        real = cli.import_module
        monkeypatch.setattr(cli, "import_module", lambda name: module if name.endswith("nowhere") else real(name))

    return install


def raises(error):
    def run():
        raise error

    return run


def test_help_and_version(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(summary.split()[0] in out and f"\n    {name}" in out for name, (_, summary) in COMMANDS.items())
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"balm {balm.__version__}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself_with_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"example:\n  {load(name).example}" in out
    assert load(name).example.startswith(f"balm {name}")


def test_the_example_of_every_command_parses():
    for name in COMMANDS:
        words = load(name).example.split()[1:]
        assert build_parser([name]).parse_args(words).command == name


def test_help_imports_one_command_and_no_numpy():
    code = (
        "import sys; from balm.cli.main import main; main(['--help']); "
        "print(*[m for m in sys.modules if m.startswith('balm') or m in ('numpy', 'json', 'http.server')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].split()) == {
        "balm",
        "balm.cli",
        "balm.cli.command",
        "balm.cli.main",
        "balm.vocabulary",
        "balm.vocabulary.presenters",
        "balm.vocabulary.problems",
        "balm.vocabulary.quick_dataclass",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "balm: the following arguments are required: COMMAND\nbalm: see `balm --help`\n"),
        (["pol"], "(did you mean 'pool'?)\nbalm: see `balm --help`\n"),
        (["--bogus"], "balm: see `balm --help`\n"),
        (["serve", "--port", "-1"], "must be a whole number between 0 and 65535; got '-1'"),
        (["serve", "--port", "70000"], "must be a whole number between 0 and 65535; got '70000'"),
        (["report", "x", "-o", "report.odt"], "balm: -o must end in .html, .docx or .pdf; got 'report.odt'\n"),
    ],
)
def test_wrong_usage_is_status_2(words, said, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_each_problem_of_the_input_is_one_line(command, capsys):
    problems = [Problem("is empty", file="a.csv", row=2, column="sd"), Problem("no such file", file="b.csv")]
    command(raises(InputError(problems)))
    assert main(["try"]) == 1
    assert capsys.readouterr().err == "balm: a.csv, row 2, column sd: is empty\nbalm: b.csv: no such file\n"


def test_wrong_options_point_to_the_help(command, capsys):
    command(raises(UsageError("--a and --b contradict each other")))
    assert main(["try"]) == 2
    assert capsys.readouterr().err == "balm: --a and --b contradict each other\nbalm: see `balm try --help`\n"


def test_an_unexpected_fault_says_how_to_report_it(command, capsys):
    command(raises(KeyError("x\ny")))
    assert main(["try"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 2
    assert f"KeyError: 'x\\ny'); this is a defect of balm {balm.__version__}" in err
    assert "--debug" in err


def test_debug_shows_the_traceback(command):
    command(raises(KeyError("x")))
    with pytest.raises(KeyError):
        main(["try", "--debug"])


def test_ctrl_c_and_a_full_memory(command, capsys):
    command(raises(KeyboardInterrupt()))
    assert main(["try"]) == 130
    assert capsys.readouterr().err == "balm: stopped\n"
    command(raises(MemoryError()))
    assert main(["try"]) == 1
    assert "does not fit into memory" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet():
    code = "import sys; from balm.cli.main import main; sys.exit(main(['measures', '--json']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 1


def test_names_in_a_file_do_not_steer_the_terminal(tmp_path, capsys):
    table = tmp_path / "a.csv"
    table.write_text("study,effect,variance\n\x1b[2JDoe,0.1,0.02\nRoe\x9b31m\x07,0.3,0.02\nPoe,0.2,0.05\n")
    assert main(["pool", str(table), "--measure", "GEN", "--no-forest"]) == 0
    out = capsys.readouterr().out
    assert "\\u001b[2JDoe" in out and "Roe\\u009b31m\\u0007" in out
    assert not [c for c in out if not c.isprintable() and c != "\n"]
    assert main(["pool", str(table), "--measure", "GEN", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["studies"][0]["study"] == "\x1b[2JDoe"


def test_a_terminal_without_unicode_gets_escapes():
    code = (
        "import sys; from balm.cli.main import main; sys.stdout.reconfigure(encoding='ascii'); main(['--version']); "
        "print('\\u03c4'); print(sys.stdout.encoding)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["\\u03c4", "ascii"]
