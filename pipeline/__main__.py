"""`python -m pipeline --preset default --out build/corpus`: writes the corpus."""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
import time
from typing import NoReturn

import presets
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.splits import Splits
from tasks.task import task_class

PROGRAM = "python -m pipeline"
# The last line of a traceback: `KeyError: '%'`.
_RAISED = re.compile(r"([a-z_]\w*\.)*[A-Z]\w*(Error|Exception|Interrupt|Exit|Warning)(: |$)")
_LOG_OPTION = "--default_sdk_harness_log_level"
_RAN, _FAILED, _WRONG_USAGE, _INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_WRONG_USAGE, f"{self.prog}: error: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    began = time.monotonic()
    parser = _Parser(
        prog=PROGRAM,
        description="Writes the corpus of a task as TFRecord shards and a manifest.",
        epilog="Any option of Apache Beam can be added, such as --runner; "
        f"{_LOG_OPTION}=INFO shows what Beam does. "
        "Options that only a job server knows go behind a bare --.",
        allow_abbrev=False,
    )
    try:
        preset = presets.chosen(arguments)
        task = task_class(presets.load(preset)["task"])
        spec_class = task.language.spec_class
        parser.add_argument(
            "--out",
            default=str(presets.folder(preset, "corpus")),
            metavar="FOLDER",
            help="where it goes (%(default)s)",
        )
        presets.add_flags(parser, spec_class, CorpusSettings, Splits)
        given, beam_flags = parser.parse_known_args(arguments)
        plan = CorpusPlan(
            task(presets.settings(spec_class, "spec", given)),
            presets.settings(Splits, "splits", given),
            presets.settings(CorpusSettings, "corpus", given),
        )
    except ValueError as error:
        parser.error(str(error))
    except Exception as error:  # a task that does not even load
        print(f"{PROGRAM}: error: {_reason(error)}", file=sys.stderr)
        return _FAILED
    try:
        return _run(parser, plan, given.out, beam_flags, began)
    except Exception as error:
        logging.getLogger(__name__).info("the run failed", exc_info=True)
        print(f"{PROGRAM}: error: {_reason(error)}", file=sys.stderr)
        return _FAILED


def _run(
    parser: _Parser, plan: CorpusPlan, folder: str, beam_flags: list[str], began: float
) -> int:
    # Beam takes over a second to import: not for --help, and not before the settings are right.
    # It warns about parts that are not installed, and passes on all that its workers log.
    if not any(flag.startswith(_LOG_OPTION) for flag in beam_flags):
        beam_flags = [f"{_LOG_OPTION}=CRITICAL", *beam_flags]
    logging.basicConfig(level=logging.CRITICAL)
    import apache_beam as beam
    from apache_beam.options.pipeline_options import WorkerOptions
    from apache_beam.runners.runner import PipelineState

    from pipeline import manifest, shards
    from pipeline.corpus import WriteCorpus
    from pipeline.progress import ShardProgress, summary
    from pipeline.runner import OptionsError, importable, local_runner, parse_options

    try:
        shards.check_folder(folder)
        options, runner = parse_options(beam_flags)
        level = options.view_as(WorkerOptions).default_sdk_harness_log_level
        logging.getLogger().setLevel(int(level) if level.isdecimal() else level)
    except (OptionsError, ValueError) as error:
        parser.error(str(error))
    shards.clear(folder)
    pipeline = beam.Pipeline(runner or local_runner(options, plan.examples), options)
    _ = pipeline | WriteCorpus(plan, folder)
    with importable(), ShardProgress(folder, plan.settings.shards):
        state = pipeline.run().wait_until_finish()
    if state not in (None, PipelineState.DONE):
        raise RuntimeError(f"the Beam job ended as {state}")
    print(summary(manifest.read(folder), time.monotonic() - began))
    return _RAN


def _reason(error: BaseException) -> str:
    """Type and message of what went wrong, in a line.

    Beam's own error holds the traceback of the worker as text, which ends with that; behind it can
    stand more, such as where it ran, or a link.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    reason = raised[-1] if raised else ": ".join([type(error).__name__, *lines[:1]])
    return re.sub(r" \[while running '.*'\]$", "", reason)


def _answer_interrupt(*_: object) -> NoReturn:
    """Ends at once: Beam turns a KeyboardInterrupt into other errors, or waits for its threads.

    Temporary files can stay behind; the next run into the folder removes them.
    """
    line = f"{PROGRAM}: interrupted; run it again for a whole corpus\n"
    os.write(sys.stderr.fileno(), ("\n" * sys.stderr.isatty() + line).encode())
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _answer_interrupt)
    sys.exit(main())
