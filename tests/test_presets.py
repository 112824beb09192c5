"""The presets: every file fills the dataclasses, and what is wrong in one is said by name."""

import argparse

import pytest
from edgecalc.space import Splits
from edgecalc.spec import Spec

import presets
from model.networks import NETWORKS
from model.train import Training
from pipeline.settings import Corpus, CorpusSettings


def parsed(*flags, classes=(Spec,)):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    presets.add_flags(parser, *classes)
    return parser.parse_args(flags)


@pytest.mark.parametrize("name", presets.names())
def test_every_table_of_every_preset_is_valid(name):
    arguments = parsed("--preset", name)
    Corpus(
        presets.settings(Spec, "spec", arguments),
        presets.settings(Splits, "splits", arguments),
        presets.settings(CorpusSettings, "corpus", arguments),
    )
    training = presets.settings(Training, "training", arguments)
    presets.settings(NETWORKS[training.network], training.network, arguments)
    assert set(presets.load(name)) <= {"spec", "splits", "corpus", "training", *NETWORKS}


def test_a_flag_overrides_the_preset_and_the_preset_the_dataclass():
    spec = presets.settings(Spec, "spec", parsed("--preset=tiny", "--operators=*"))
    assert spec == Spec(digits=2, places=2, operators="*")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset=huge"], "no preset 'huge'; there are"),
        (["--preset=tiny", "--digits=0"], "digits must be a whole number from 1 to 6: 0"),
    ],
)
def test_wrong_settings_are_named(flags, message):
    with pytest.raises(presets.SettingsError, match=message):
        presets.settings(Spec, "spec", parsed(*flags))


def test_an_unknown_field_is_named(tmp_path, monkeypatch):
    (tmp_path / "odd.toml").write_text("[spec]\ndigit = 2\n")
    monkeypatch.setattr(presets, "_FOLDER", tmp_path)
    with pytest.raises(presets.SettingsError, match=r"\[spec\] has no digit"):
        presets.settings(Spec, "spec", parsed("--preset=odd"))
