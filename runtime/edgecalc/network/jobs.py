"""Work shared out to processes: batches cut from a stream, results in the order of the batches.

Not to threads: two with an interpreter each waited for Python's lock a quarter of their time, on
cores that others used too.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from edgecalc.network.model_file import ModelError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Batch = TypeVar("_Batch", bound=Sized)
_Result = TypeVar("_Result")

# So many batches come before another process: a small input never pays for one, and a large one
# hardly feels the wait.
_ALONE = 8
# A batch with fewer items takes about as long to hand over as to answer.
_HANDED_OVER = 16
# While a process works on a batch, the next one waits for it already, if it is no larger. The
# system has room for several of these; without it, two that both write would wait for each other.
_WAITING_BYTES = 1 << 15


class Jobs(Generic[_Batch, _Result]):
    """Calls a function for batches, for several at once, and keeps their order.

    It is a context, whose end ends the processes.

    Args:
        function: what is done to a batch. Batches and results must be fit for pickle; see
            `edgecalc.network.batches.Rows`.
        jobs: how many batches are worked on at once, at least 1; with 1, and where processes
            cannot be forked, there is no other process.

    Raises:
        ValueError: if `jobs` is less than 1.
    """

    def __init__(self, function: Callable[[_Batch], _Result], jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"jobs must be at least 1: {jobs}")
        self._function = function
        self._jobs = jobs if hasattr(os, "fork") else 1
        # Enough for the others while one is slow, as on a core that somebody else uses too.
        self._ahead = 4 * jobs
        self._alone = _ALONE
        self._workers: list[_Worker] = []
        self._pending: deque[_Task] = deque()

    def __enter__(self) -> Jobs[_Batch, _Result]:
        return self

    def __exit__(self, *_: Any) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def stream(self, batches: Iterable[_Batch]) -> Iterator[_Result]:
        """The results of batches, lazily.

        Args:
            batches: taken as needed, up to four times as many as there are jobs ahead of the
                results. An empty one says that the next may take a while: what is on its way is
                finished first. So it is if they end with an exception.

        Raises:
            ModelError: if a process died.
        """
        batches = iter(batches)
        failure: Exception | None = None
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            if not len(batch):
                yield from self._finished(0)
            elif self._is_shared(batch):
                self._hand_over(batch)
                yield from self._finished(self._ahead)
            else:
                self._alone -= 1
                yield self._function(batch)
        yield from self._finished(0)
        if failure:
            raise failure

    def _is_shared(self, batch: _Batch) -> bool:
        if self._pending:
            return True
        if self._jobs == 1 or self._alone > 0 or len(batch) < _HANDED_OVER:
            return False
        while len(self._workers) < self._jobs:
            try:
                self._workers.append(_Worker(self._function, self._workers))
            except OSError:  # no memory, or no more processes allowed
                self._jobs = max(1, len(self._workers))
                break
        return bool(self._workers)

    def _hand_over(self, batch: _Batch) -> None:
        message = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
        most = 2 if len(message) <= _WAITING_BYTES else 1
        while True:
            worker = min(self._workers, key=lambda one: len(one.tasks))
            if len(worker.tasks) < most:
                break
            self._receive()
        self._pending.append(worker.hand_over(message))

    def _finished(self, at_most: int) -> Iterator[_Result]:
        """Results in order, until no more than some tasks are pending."""
        while self._pending:
            result = self._pending[0].outcome
            if isinstance(result, Exception):
                raise result
            if result is not None:
                self._pending.popleft()
                yield cast(_Result, result)
            elif len(self._pending) > at_most:
                self._receive()
            else:
                break

    def _receive(self) -> None:
        """Waits for results."""
        # `multiprocessing.connection.wait` takes several times as long.
        poll = select.poll()
        busy = {worker.connection.fileno(): worker for worker in self._workers if worker.tasks}
        for descriptor in busy:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll():
            busy[descriptor].receive()


class _Task:
    """A batch in work, until it has an outcome."""

    outcome: object = None


class _Worker:
    """A process that calls a function.

    Args:
        function: called in the process.
        others: processes that there are already.

    Raises:
        OSError: if there can be no other process.
    """

    def __init__(self, function: Callable[[Any], object], others: list[_Worker]) -> None:
        # Not where a single answer would pay for loading it.
        from multiprocessing.connection import Pipe

        self.tasks: deque[_Task] = deque()
        self.connection, theirs = Pipe()
        # An interrupt is this process's to handle. In the other one it must not even begin to
        # unwind: that would end in the caller's code a second time.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
                    # They would not see its end while somebody else has it open.
                    for worker in (self, *others):
                        worker.connection.close()
                    _serve(theirs, function)
                finally:
                    os._exit(0)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()

    def hand_over(self, message: bytes) -> _Task:
        """Gives the process something to do."""
        with suppress(OSError):  # the process has ended; `receive` tells why
            self.connection.send_bytes(message)
        self.tasks.append(_Task())
        return self.tasks[-1]

    def receive(self) -> None:
        """Takes the result of its first task; if it died, the error is that of all."""
        try:
            self.tasks[0].outcome = self.connection.recv()
            self.tasks.popleft()
        except (OSError, EOFError):
            for each in self.tasks:
                each.outcome = ModelError("a process that ran the model died; --jobs 1 needs none")
            self.tasks.clear()

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self.connection.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _serve(connection: Connection[Any, Any], function: Callable[[Any], object]) -> None:
    try:
        try:
            while True:
                connection.send(function(connection.recv()))
        except Exception as error:
            connection.send(error)
    except (OSError, EOFError):  # the other end has gone
        pass
