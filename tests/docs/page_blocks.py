"""The blocks of code of a page, and how each kind is run or checked."""

import doctest
import re
import shlex
import tomllib
from configparser import ConfigParser
from glob import glob
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from sklearn_cloud.__main__ import build_parser, main

ROOT = Path(__file__).parents[2]
#: Programs that are not run: they install, start servers or many processes, or change a clone.
NOT_RUN = {
    "accelerate",
    "export",
    "git",
    "optuna-dashboard",
    "playwright",
    "pre-commit",
    "source",
    "torchrun",
}
#: Of a cluster that is not there: its block is compiled. Tests of workers use Dask on this machine.
SCHEDULER = "tcp://scheduler"
#: Commands that end only when they are stopped: their options are checked.
SERVERS = {"app"}
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DIRECTIVE = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:(?:[ ]+.*)?\n)+)", re.MULTILINE)
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A block of code, or the text between two of them, in which there may be doctests.

    Attributes
    ----------
    language : str
        "text" for the text in between.
    code : str
    line : int
    """

    language: str
    code: str
    line: int


def read_blocks(path):
    """Return the blocks of a page in its order."""
    text = path.read_text(encoding="utf-8")
    pattern = _FENCE if path.suffix == ".md" else _DIRECTIVE
    blocks, end = [], 0
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start(2))
        blocks.append(Block("text", text[end : match.start()], text.count("\n", 0, end)))
        blocks.append(Block(match[1], _dedent(match[2]), line))
        end = match.end()
    return [*blocks, Block("text", text[end:], text.count("\n", 0, end))]


def _dedent(code):
    lines = code.splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[indent:] for line in lines) + "\n"


def run_block(block, page, names):
    """Run a block in the current folder, with the names of the blocks before it."""
    if block.language in ("bash", "console"):
        run_commands(block.code)
    elif block.language == "text" or block.code.startswith(">>> "):
        run_doctests(block.code, page, block.line, names)
    elif block.language == "python":
        code = compile("\n" * block.line + block.code, str(page), "exec")
        if SCHEDULER not in block.code:
            exec(code, names)
    else:
        raise AssertionError(f"{page}:{block.line}: what is a block of {block.language}?")


def run_doctests(text, page, line, names):
    """Run the examples in a text; what it prints differs in an AssertionError."""
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), line)
    test.globs = names
    report = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=_OPTIONS)
    runner.run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def run_commands(code):
    """Run the lines of a shell: our own commands are run, others are checked."""
    code = code.replace("\\\n", " ")
    for line in code.splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while "&&" in words:
            place = words.index("&&")
            run_command(words[:place])
            words = words[place + 1 :]
        if words:
            run_command(words)


def run_command(words):
    """Run one command, or check what can be checked of it."""
    while re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    program, *arguments = words
    if words[:3] == ["python", "-m", "sklearn_cloud"]:
        program, arguments = "sklearn-cloud", words[3:]
    if program == "sklearn-cloud":
        run_own(arguments)
    elif program == "python":
        check_python(arguments)
    elif program == "pip":
        check_pip(arguments)
    elif program == "tox":
        check_tox(arguments)
    elif program == "pytest":
        for argument in arguments:
            assert not argument.startswith("tests") or (ROOT / argument).exists(), argument
    else:
        assert program in NOT_RUN, f"the test does not know what to do with {program!r}"


def run_own(arguments):
    """Run `sklearn-cloud`; where an earlier block wrote the same output, the reader moved it."""
    if "-o" in arguments:
        output = Path(arguments[arguments.index("-o") + 1])
        rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
    arguments = [path for one in arguments for path in (sorted(glob(one)) or [one])]
    if arguments[0] in SERVERS:
        build_parser().parse_args(arguments)
        return
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert not code, f"sklearn-cloud {shlex.join(arguments)} ended with {code}"


def check_python(arguments):
    """Check that a script of the repository exists; modules such as venv are Python's."""
    if arguments[0].startswith("benchmarks/"):
        assert (ROOT / arguments[0]).is_file(), arguments[0]


def check_pip(arguments):
    """Check that the extras exist, and the files that are named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for before, argument in zip(["", *arguments], arguments):
        extras = re.fullmatch(r"(?:\.|sklearn-cloud)\[(.*)\]", argument)
        if extras:
            assert set(extras[1].split(",")) <= set(project["optional-dependencies"]), argument
        if before == "-c":
            assert (ROOT / argument).is_file(), argument


def check_tox(arguments):
    """Check that the environments exist."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini", encoding="utf-8")
    for name in arguments[1:] if arguments[:1] == ["-e"] else ():
        assert f"testenv:{name}" in config or name == "tests", name
