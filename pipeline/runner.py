"""Which Beam runner runs the pipeline, and which Beam options there are.

Measured on 2 cores, imports aside: the default corpus (4 million records) takes 2.0 s in one worker
in this process, 1.9 s in 2 threads, 2.5 s in 4 and 4.1 s in 16 (they wait for Python's lock), and
3.1 s in 2 processes, of which 2.1 s are their start. So below some size one worker in this process
is the fastest whatever the number of cores, and above it processes are.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import edgecalc
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.transforms import environments
from edgecalc.network.cores import available_cores

# To start worker processes takes as long as one worker needs for this many records.
_START_IN_RECORDS = 4_300_000


class OptionsError(ValueError):
    """Beam options that cannot be used; the message says which."""


def parse_options(flags: list[str]) -> tuple[PipelineOptions, PipelineRunner | None]:
    """Reads Beam options, and refuses what neither Beam nor the runner knows.

    What follows a bare `--` is passed on unseen, for options that only a job server knows.

    Returns:
        The options, and the runner that they name; None if they name none.

    Raises:
        OptionsError: if a flag is unknown, or a value is refused.
    """
    split = flags.index("--") if "--" in flags else len(flags)
    checked, unchecked = flags[:split], flags[split + 1 :]
    try:
        options = PipelineOptions(checked + unchecked)
        name = options.view_as(StandardOptions).runner
        # Creating it also imports the options that only this runner has.
        runner = create_runner(name) if name else None
        options.get_all_options(add_extra_args_fn=lambda parser: _check(parser, checked))
    except OptionsError:
        raise
    except SystemExit as error:  # argparse's way, after it has printed why
        raise OptionsError("wrong Beam options") from error
    except Exception as error:
        raise OptionsError(str(error)) from error
    return options, runner


def _check(parser: argparse.ArgumentParser, flags: list[str]) -> None:
    """Lets Beam's parser, which knows all options, read the flags strictly."""

    def fail(message: str) -> NoReturn:
        raise OptionsError(message)

    parser.error = fail  # type: ignore[method-assign]
    _, unknown = parser.parse_known_args(flags)
    if unknown:
        kind = "unknown option" if unknown[0].startswith("-") else "unexpected argument"
        raise OptionsError(f"{kind} {unknown[0]}")


def local_runner(options: PipelineOptions, examples: int) -> PipelineRunner:
    """The runner for this machine, when the options name none.

    It is Beam's FnApiRunner and not its DirectRunner, which first tries to fetch Prism, a binary.
    `--direct_running_mode` and `--direct_num_workers` are followed; without them, one worker runs
    in this process, or a process on every core if so many examples repay their start.
    """
    direct = options.view_as(DirectOptions)
    given = options.get_all_options(drop_default=True)
    cores = available_cores()
    workers = direct.direct_num_workers if "direct_num_workers" in given else None
    mode = given.get("direct_running_mode")
    if mode is None:
        saved = examples * (1 - 1 / cores)
        worth_it = workers != 1 if workers is not None else saved > _START_IN_RECORDS
        mode = "multi_processing" if worth_it else "in_memory"
    direct.direct_running_mode = mode
    direct.direct_num_workers = 1 if mode == "in_memory" else workers or cores

    environment = None
    if mode == "multi_processing":
        # FnApiRunner would start the workers by a command of its own, which fails if there is a
        # blank in the path of Python. It keeps to ours if the mode is in_memory.
        direct.direct_running_mode = "in_memory"
        environment = environments.SubprocessSDKEnvironment.from_command_string(
            f"exec {shlex.quote(sys.executable)} -m pipeline.worker"
        )
    # Workers need the options as well, for file systems and for what they log.
    provision = beam_provision_api_pb2.ProvisionInfo(
        pipeline_options=JobServiceHandle.encode_pipeline_options(options.get_all_options())
    )
    return fn_runner.FnApiRunner(
        default_environment=environment, provision_info=fn_runner.ExtendedProvisionInfo(provision)
    )


@contextlib.contextmanager
def importable() -> Iterator[None]:
    """Lets processes that are started inside it import `pipeline` and `edgecalc` as this one."""
    before = os.environ.get("PYTHONPATH")
    packages = (Path(__file__), Path(edgecalc.__file__))
    folders = [str(file.resolve().parents[1]) for file in packages]
    os.environ["PYTHONPATH"] = os.pathsep.join(folders + ([before] if before else []))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
