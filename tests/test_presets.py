"""The presets: every file fills the dataclasses, and what is wrong in one is said by name."""

import argparse
from dataclasses import replace

import pytest
from edgecalc.language.calculator.spec import CalculatorSpec

import presets
from model.networks import NETWORKS
from model.settings import Training
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.splits import Splits
from tasks.task import task_class


def parsed(*flags, classes=(CalculatorSpec,)):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    presets.add_flags(parser, *classes)
    return parser.parse_args(flags)


@pytest.mark.parametrize("name", presets.names())
def test_every_table_of_every_preset_is_valid(name):
    arguments = parsed("--preset", name)
    CorpusPlan(
        task_class(presets.load(name)["task"])(presets.settings(CalculatorSpec, "spec", arguments)),
        presets.settings(Splits, "splits", arguments),
        presets.settings(CorpusSettings, "corpus", arguments),
    )
    training = presets.settings(Training, "training", arguments)
    presets.settings(NETWORKS[training.network], training.network, arguments)
    assert set(presets.load(name)) <= {"task", "spec", "splits", "corpus", "training", *NETWORKS}


def test_a_flag_overrides_the_preset_and_the_preset_the_dataclass():
    spec = presets.settings(CalculatorSpec, "spec", parsed("--preset=tiny", "--operators=*"))
    assert spec == CalculatorSpec(digits=2, places=2, operators="*")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset=huge"], "no preset 'huge'; there are"),
        (["--preset=tiny", "--digits=0"], "digits must be a whole number from 1 to 6: 0"),
    ],
)
def test_wrong_settings_are_named(flags, message):
    with pytest.raises(presets.SettingsError, match=message):
        presets.settings(CalculatorSpec, "spec", parsed(*flags))


def test_an_unknown_field_is_named(tmp_path, monkeypatch):
    (tmp_path / "odd.toml").write_text('task = "calculator"\n[spec]\ndigit = 2\n')
    monkeypatch.setattr(presets, "_FOLDER", tmp_path)
    with pytest.raises(presets.SettingsError, match=r"\[spec\] has no digit"):
        presets.settings(CalculatorSpec, "spec", parsed("--preset=odd"))


def test_a_preset_says_only_what_differs_from_the_one_it_extends(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('extends = "release"\n[training]\nseed = 7\n')
    training = presets.settings(
        Training, "training", parsed(f"--preset={own}", classes=(Training,))
    )
    release = presets.settings(Training, "training", parsed("--preset=release"))
    assert training == replace(release, seed=7)
    assert release.steps == 12_000
    assert presets.load(str(own))["spec"] == presets.load("default")["spec"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('extends = "nowhere"', "no preset 'nowhere'"),
        ('extends = "{own}"', "extends itself"),
        ("[spec]\ndigits = 2", "names no task"),
        ("[spec", "own.toml'"),
    ],
)
def test_a_preset_that_cannot_be_read_is_named(tmp_path, content, message):
    own = tmp_path / "own.toml"
    own.write_text(content.replace("{own}", str(own)))
    with pytest.raises(presets.SettingsError, match=message):
        presets.load(str(own))
