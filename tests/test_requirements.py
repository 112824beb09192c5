"""What pip is told to install: an interpreter where there are wheels of one, and numpy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

TFLITE, LITERT = "tflite-runtime", "ai-edge-litert"
PYPROJECT = Path(__file__).parents[1] / "runtime/pyproject.toml"
REQUIREMENTS = [
    Requirement(text)
    for text in tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
]


@pytest.mark.parametrize(
    ("python", "platform", "machine", "interpreter"),
    [
        ("3.10", "linux", "x86_64", TFLITE),
        ("3.11", "linux", "aarch64", TFLITE),
        ("3.11", "linux", "armv7l", TFLITE),
        ("3.12", "linux", "x86_64", LITERT),
        ("3.13", "linux", "aarch64", LITERT),
        ("3.10", "darwin", "arm64", LITERT),
        ("3.13", "win32", "AMD64", LITERT),
        ("3.13", "linux", "armv7l", None),  # Raspberry Pi OS 13, 32 bits
        ("3.11", "linux", "armv6l", None),  # Pi Zero
        ("3.13", "linux", "armv6l", None),
        ("3.11", "linux", "riscv64", None),
        ("3.13", "darwin", "x86_64", None),
    ],
)
def test_each_machine_gets_what_there_is_for_it(
    python: str, platform: str, machine: str, interpreter: str | None
):
    environment = {
        "python_version": python,
        "sys_platform": platform,
        "platform_machine": machine,
    }
    asked = [one for one in REQUIREMENTS if not one.marker or one.marker.evaluate(environment)]
    assert {one.name for one in asked} == {"numpy"} | ({interpreter} if interpreter else set())
    numpy_1 = not all(one.specifier.contains("2.0") for one in asked if one.name == "numpy")
    assert numpy_1 == (interpreter == TFLITE)
