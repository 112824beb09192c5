"""How a network is trained: the table `[training]` of a preset."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.networks import NETWORKS

OPTIMIZERS = ("adamw", "muon")


@dataclass(frozen=True)
class Training:
    """How a network is trained: a linear warm-up, then a cosine down to 1% of the peak rate.

    Raises:
        ValueError: if a field is out of range; the message names it.
    """

    network: str = field(default="seq2seq", metadata={"help": f"one of {', '.join(NETWORKS)}"})
    seed: int = field(default=1, metadata={"help": "of the weights and of the order of examples"})
    steps: int = field(default=40_000, metadata={"help": "batches to train on, all in all"})
    epoch_steps: int = field(
        default=1_000, metadata={"help": "steps between validations and checkpoints"}
    )
    batch_size: int = field(default=512, metadata={"help": "examples in a batch"})
    optimizer: str = field(
        default="adamw",
        metadata={"help": "adamw, or muon: for all matrices but embeddings, adamw for the rest"},
    )
    learning_rate: float = field(default=3e-3, metadata={"help": "the peak rate"})
    warmup_steps: int = field(default=300, metadata={"help": "steps up to the peak rate"})
    weight_decay: float = field(default=1e-4, metadata={"help": "of the optimizer"})
    beta_2: float = field(default=0.999, metadata={"help": "of AdamW"})
    clip_norm: float = field(default=1.0, metadata={"help": "largest norm of a gradient"})
    first_groups: str = field(
        default="",
        metadata={"help": "groups to begin with, between blanks; of the calculator: operators"},
    )
    first_group_steps: int = field(
        default=0, metadata={"help": "steps with these alone, before all groups come"}
    )
    validation_examples: int = field(
        default=20_000, metadata={"help": "examples of the validation split to validate on"}
    )

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(f"no network {self.network!r}; there are {', '.join(NETWORKS)}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"no optimizer {self.optimizer!r}; there are {', '.join(OPTIMIZERS)}")
        for name in ("steps", "epoch_steps", "batch_size", "validation_examples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1: {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0: {getattr(self, name)}")
        if not 0 <= self.beta_2 < 1:
            raise ValueError(f"beta_2 must be from 0 to below 1: {self.beta_2}")
        if self.steps % self.epoch_steps:
            raise ValueError(
                f"steps {self.steps} are no multiple of epoch_steps {self.epoch_steps}"
            )
        if not 0 <= self.warmup_steps < self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} must be fewer than steps")
        if not 0 <= self.first_group_steps <= self.steps:
            raise ValueError(f"first_group_steps must be from 0 to steps: {self.first_group_steps}")
        if bool(self.first_groups.split()) != bool(self.first_group_steps):
            raise ValueError("first_groups and first_group_steps need each other")
