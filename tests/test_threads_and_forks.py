"""A calculator in each of several threads and processes, and what belongs to all of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.processes import user_environment

# TFLite says so once in a process that answers blocks; it has no switch for it in Python.
ANNOUNCEMENT = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."

# Of threads=2 and more, TFLite makes threads, which a fork does not take along.
FORK = """
import os, signal, sys
from edgecalc import Calculator
calculator = Calculator(threads=2)
def everything():
    texts = [calculator.answer("7*8").text, calculator.explain("842*37").lines()[0]]
    return texts + [answer.text for answer in calculator.answers(["1+1", "8/2", "9-2"])]
"""
ANSWERS = ["56", "842*37 = 31154", "2", "4", "7"]


def run(code: str) -> tuple[str, list[str]]:
    """What a process of its own says on stdout, and on stderr but for TFLite's announcement."""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=user_environment(),
        timeout=300,
    )
    errors = ended.stderr.splitlines()
    assert errors.count(ANNOUNCEMENT) <= 1
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, [line for line in errors if line != ANNOUNCEMENT]


def test_stderr_stays_what_it_is():
    """Four threads calculate; the lines of a fifth and of children arrive, all and in order."""
    code = """
import os, subprocess, threading
from edgecalc import Calculator
stderr = os.fstat(2)
going = 4
def calculate():
    global going
    for _ in range(5):
        calculator = Calculator()
        assert len(list(calculator.answers(["1+1", "8/2"]))) == 2
        for _ in range(20):
            calculator.explain("842*37")
    going -= 1
threads = [threading.Thread(target=calculate) for _ in range(going)]
for thread in threads:
    thread.start()
number = 0
while going:
    os.write(2, f"line {number}\\n".encode())
    if number % 50 == 0:
        subprocess.run(["sh", "-c", f"echo child {number} >&2"], check=True)
    number += 1
    for _ in range(100):
        assert os.path.samestat(os.fstat(2), stderr)
print(number)
"""
    out, errors = run(code)
    lines = int(out)
    assert lines > 50
    assert [line for line in errors if line.startswith("line")] == [
        f"line {number}" for number in range(lines)
    ]
    assert [line for line in errors if line.startswith("child")] == [
        f"child {number}" for number in range(0, lines, 50)
    ]


@pytest.mark.parametrize("before", ["", "everything()", 'calculator.explain("1+1")'])
def test_a_forked_child_answers(before: str):
    code = f"""{FORK}
{before}
for _ in range(2):  # a child of the child, too
    if os.fork():
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    signal.alarm(120)  # whoever waits for threads that are not there would do so for ever
print(everything())
"""
    assert run(code) == (f"{ANSWERS}\n", [])


def test_a_forked_child_that_calculates_nothing_ends():
    code = f"""{FORK}
everything()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
signal.alarm(120)
del calculator
"""
    assert run(code) == ("", [])


def test_the_parent_goes_on_and_a_pool_of_forks_answers():
    code = f"""{FORK}
import multiprocessing
def child(_):
    signal.alarm(120)
    return everything()
everything()
with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map(child, range(4), chunksize=1)
print(len(answers), all(given == everything() for given in answers))
"""
    assert run(code) == ("4 True\n", [])


def test_answers_and_explanations_do_not_get_in_each_others_way():
    assert run(f"{FORK}\nprint(everything() == everything())") == ("True\n", [])


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is told by /proc")
def test_explaining_needs_no_more_memory_from_call_to_call():
    code = """
from edgecalc import Calculator
calculator = Calculator()
def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
for _ in range(200):
    calculator.explain("842*37")
before = memory()
for _ in range(2000):
    calculator.explain("842*37")
print(memory() - before < 500_000)
"""
    assert run(code) == ("True\n", [])
