"""The rule of the rooms, read from the sources: who may import whom, who may know an operator."""

from __future__ import annotations

import ast
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from edgecalc.language.calculator.operators import OPERATORS
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.language import Language
from edgecalc.language.spec import Spec

from model.networks import NETWORKS
from tasks.calculator.task import CalculatorTask
from tasks.task import SEQUENCE, Task

ROOT = Path(__file__).parents[1]

NETWORK = ("edgecalc.language", "edgecalc.network", "edgecalc.version")
ROAD = (*NETWORK, "edgecalc", "tasks", "presets")
# What each room may import of ours beside itself. A module is in the room with the longest name
# that its own begins with.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "edgecalc.version": (),
    "edgecalc.language": (),
    "edgecalc.network": NETWORK,
    "edgecalc.calculator": NETWORK,
    "edgecalc.shell": (*NETWORK, "edgecalc.calculator"),
    "edgecalc": (*NETWORK, "edgecalc.calculator", "edgecalc.shell"),
    "tasks": ("edgecalc.language",),
    "presets": (),
    "pipeline": ROAD,
    "model": ROAD,
    "export": (*ROAD, "edgecalc.calculator", "model"),
    "benchmarks": (*ROAD, "edgecalc.calculator", "edgecalc.shell", "pipeline", "model", "export"),
}
# Of what is not ours these have numpy, and nothing else.
LIGHT = ("edgecalc", "tasks", "presets")

# Whose rooms the calculator's own are, and where its network stands beside others to choose from.
CALCULATOR = ("edgecalc.language.calculator", "tasks.calculator", "model.networks.columns")
CHOICE = "model.networks"

# What may be asked of whatever is called so: that which every task has.
PROTOCOL = {
    "spec": {*dir(Spec), *Spec.__annotations__},
    "task": {*dir(Task), *Task.__annotations__, "spec"},
    "language": {*dir(Language), *Language.__annotations__, "spec"},
}
# Fields of the calculator's spec and features of its records; a network can be called as a feature.
WORDS = {field.name for field in dataclasses.fields(CalculatorSpec)}
WORDS |= set(CalculatorTask(CalculatorSpec()).working) - set(NETWORKS) - {SEQUENCE}

# Modules that whoever only answers, or describes a model, has no need of.
UNNEEDED = (
    "edgecalc.language.calculator.explanation",
    "edgecalc.language.calculator.truth",
    "edgecalc.language.calculator.working",
    "tasks",
    "tensorflow",
    "keras",
)


def _sources() -> dict[str, ast.Module]:
    """The modules of all rooms by name."""
    found = {}
    for package in {room.partition(".")[0] for room in MAY_IMPORT}:
        folder = ROOT / "runtime" if package == "edgecalc" else ROOT
        for path in sorted((folder / package).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def is_in(name: str, packages: Iterable[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def room_of(name: str) -> str:
    """The room of a module or of something in it; of what is not ours, its package."""
    rooms = [room for room in MAY_IMPORT if is_in(name, [room])]
    return max(rooms, key=len, default=name.partition(".")[0])


def imports(tree: ast.Module) -> set[str]:
    """What a module imports, wherever in it: `from a import b` imports `a.b`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import is absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def knowledge(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where a module knows what only the calculator has: lines, and what stands there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "attr", getattr(node.value, "id", "")).lstrip("_")
            if node.attr not in PROTOCOL.get(owner, {node.attr}):
                yield node.lineno, f"{owner}.{node.attr}"
    for line, text in strings(tree):
        symbols = set(text) - {" "}
        if text in WORDS or (len(symbols) > 1 and symbols <= set(OPERATORS)):
            yield line, text
    # One alone can be standard input or part of a path, but not where things are told apart.
    for expression in told_apart(tree):
        if isinstance(expression, ast.Constant) and expression.value in OPERATORS:
            yield expression.lineno, str(expression.value)


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The strings of a module, with their lines, but for its docstrings."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, described) and node.body]
    docstrings = {first.value for first in firsts if isinstance(first, ast.Expr)}
    for constant in (node for node in ast.walk(tree) if isinstance(node, ast.Constant)):
        if isinstance(constant.value, str) and constant not in docstrings:
            yield constant.lineno, constant.value


def told_apart(tree: ast.Module) -> Iterator[ast.expr]:
    """What a module compares with, looks up or goes through."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        match node:
            case ast.Compare():
                found = [node.left, *node.comparators]
            case ast.Subscript():
                found = [node.slice]
            case ast.Dict():
                found = [*node.keys]
            case ast.MatchValue():
                found = [node.value]
            case ast.For() | ast.comprehension():
                found = [node.iter]
            case ast.Call(func=ast.Attribute(attr="count" | "find" | "get" | "index")):
                found = [*node.args]
        for expression in filter(None, found):
            if isinstance(expression, ast.Tuple | ast.List | ast.Set):
                yield from expression.elts
            else:
                yield expression


SOURCES = _sources()
OUTSIDE = sorted(name for name in SOURCES if not is_in(name, CALCULATOR))


def test_every_module_is_in_a_room_and_no_room_is_empty():
    assert {room_of(name) for name in SOURCES} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_no_arrow_points_up(name):
    room = room_of(name)
    others = {room_of(imported) for imported in imports(SOURCES[name])} - {room}
    assert others & set(MAY_IMPORT) <= set(MAY_IMPORT[room])
    if is_in(name, LIGHT):
        assert others - set(MAY_IMPORT) <= {"numpy", *sys.stdlib_module_names}


@pytest.mark.parametrize("name", OUTSIDE)
def test_nobody_else_knows_the_calculator(name):
    imported = {other for other in imports(SOURCES[name]) if is_in(other, CALCULATOR)}
    assert not imported or (name == CHOICE and room_of(name) == "model"), imported
    assert list(knowledge(SOURCES[name])) == []


@pytest.mark.parametrize(
    "source",
    [
        'ALL = "+-*/"',
        'for symbol in ("+", "-"): pass',
        'divides = symbol == "/"',
        'names = {"*": "times"}',
        'place = symbols.index("-")',
        "several = len(self.spec.operators)",
        'length = spec.to_dict()["digits"]',
    ],
)
def test_whoever_knew_the_calculator_would_be_found(source):
    assert list(knowledge(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ['"""Of + and -."""', 'STANDARD = "-"', 'path.strip("/")', 'f"{a}-{b}"', 'folder.glob("*")'],
)
def test_whoever_does_not_is_left_alone(source):
    assert not list(knowledge(ast.parse(source)))


@pytest.mark.parametrize("arguments", [["info"], ["55+49", "7/2"]])
def test_a_device_loads_nothing_that_it_does_not_need(arguments):
    code = f"""
import json, sys
from edgecalc.shell.cli import main
assert main({arguments}) == 0
print(json.dumps(list(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    assert "edgecalc.language.calculator.language" in modules
    assert [module for module in modules if is_in(module, UNNEEDED)] == []
