"""Exit codes and the one sentence of every console script."""

import os
import subprocess
import sys

import pytest

from napari_clickseg.commands.cli import Parser, run


def fail_with(error):
    def command(_):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ValueError("The mask is empty.\n  Draw it."), 2, "The mask is empty. Draw it."),
        (FileNotFoundError(2, "No such file or directory", "a.png"), 2, "directory: a.png."),
        (PermissionError(13, "Permission denied", "out"), 2, "Permission denied: out."),
        (FileNotFoundError("No data set 'x'."), 2, "No data set 'x'."),
        (RuntimeError("shapes differ"), 1, "RuntimeError: shapes differ"),
        (KeyError("x"), 1, "KeyError: 'x'"),
        (ValueError(), 2, "ValueError."),
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_errors_become_one_line_and_a_code(error, code, sentence, capsys):
    assert run("clickseg-x", fail_with(error), []) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("clickseg-x: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_debug_shows_the_traceback_and_keeps_the_code(capsys):
    assert run("clickseg-x", fail_with(ValueError("Wrong.")), ["--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("clickseg-x: Wrong.\n")


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_the_commands_own_code(returned, code):
    assert run("clickseg-x", lambda _: returned, []) == code


def test_arguments_reach_the_command():
    seen = []
    run("clickseg-x", seen.extend, ["a", "--b"])
    assert seen == ["a", "--b"]


def parse(argv):
    parser = Parser("clickseg-x", "Does things.")
    parser.add_argument("--number", type=int)
    parser.parse_args(argv)


@pytest.mark.parametrize("argv", [["--nunber", "3"], ["--number", "three"], ["--num", "3"]])
def test_wrong_arguments_are_told_without_the_usage(argv, capsys):
    assert run("clickseg-x", parse, argv) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "clickseg-x --help" in err


def test_help_ends_well(capsys):
    assert run("clickseg-x", parse, ["--help"]) == 0
    assert "Does things." in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="closed pipes end differently on Windows")
def test_a_closed_pipe_is_no_error_message():
    code = (
        "import sys; from napari_clickseg.commands.cli import run\n"
        "sys.exit(run('x', lambda _: [print('line', k) for k in range(100000)] and None, []))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
