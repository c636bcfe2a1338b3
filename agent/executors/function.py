"""The function executor: trials as calls of one Python function in this process."""

from __future__ import annotations

import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.executors.contract import Executor, Exit, Handle, Launch, nobody
from tracking.context import TrialContext, TrialStopped, entered

UNSTARTED = Exit(stopped=True, details={"unstarted": True})
STOP_REASON = "the agent asked for the end of this trial"


class FunctionExecutor(Executor):
    """Calls a function once per trial, in `threads` threads of its own or, with 0, in the thread that calls `serve`.

    The second way leaves the main thread to the function, so that signals, pdb and matplotlib work in it. An exception
    ends that trial only; KeyboardInterrupt and SystemExit of a thread's own are judged like exit statuses, except that
    `serve` passes KeyboardInterrupt on.
    """

    queues = True

    def __init__(self, function: Callable[[], object], wake: Callable[[], None], *, threads: int = 0) -> None:
        self._function = function
        self._wake = wake
        self._calls: queue.SimpleQueue[FunctionHandle | None] = queue.SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self.serve, name=f"sweep-trial-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_served_by_caller(self) -> bool:
        """Whether somebody has to call `serve`."""
        return not self._threads

    def start(self, launch: Launch, begins: Callable[[], None] = nobody) -> FunctionHandle:
        handle = FunctionHandle(launch, begins)
        self._calls.put(handle)
        return handle

    def withdraw(self) -> None:
        waiting = []
        with suppress(queue.Empty):
            while True:
                waiting.append(self._calls.get_nowait())
        for handle in waiting:
            if handle is None:
                self._calls.put(None)
            else:
                handle.exit = UNSTARTED
        self._wake()

    def serve(self) -> None:
        """Make calls until the executor is closed. Raises KeyboardInterrupt when one was interrupted by Ctrl-C."""
        while (handle := self._calls.get()) is not None:
            if self._closed or handle.stop_reason:
                handle.exit = UNSTARTED
            else:
                self._call(handle)
            self._wake()

    def close(self) -> None:
        """Ask every call to end. Calls that heed nothing end with the process."""
        self._closed = True
        for _ in range(max(1, len(self._threads))):
            self._calls.put(None)

    def _call(self, handle: FunctionHandle) -> None:
        launch = handle.launch
        context = TrialContext(
            run_id=launch.run_id,
            sweep_id=launch.sweep_id,
            trial=launch.number,
            attempt=launch.attempt,
            params=launch.params,
            run_dir=launch.run_dir,
            stop_reason=handle.why_stop,
            project=launch.environment.get("SWEEP_PROJECT", ""),
            entity=launch.environment.get("SWEEP_ENTITY", ""),
        )
        handle.began = time.monotonic()
        try:
            handle.begins()
            with entered(context):
                _call_to_its_end(self._function)
        except TrialStopped:
            handle.exit = Exit(stopped=True, details=handle.times())
        except KeyboardInterrupt:
            handle.exit = Exit(signal=signal.SIGINT, details=handle.times())
            self._wake()
            raise
        except SystemExit as leaving:
            handle.exit = _exit_of(leaving, handle.times())
        except BaseException:  # noqa: BLE001  the boundary between the user's function and the agent
            text = traceback.format_exc()
            _append(launch.console, text)
            handle.exit = Exit(code=1, error=text, details=handle.times())
        else:
            handle.exit = Exit(code=0, details=handle.times())


class FunctionHandle(Handle):
    """One call. It cannot be killed: it ends at its next `log()` after it was asked to."""

    def __init__(self, launch: Launch, begins: Callable[[], None] = nobody) -> None:
        self.launch = launch
        self.begins = begins
        self.stop_reason = ""
        self.exit: Exit | None = None

    def poll(self) -> Exit | None:
        return self.exit

    def terminate(self) -> None:
        self.stop_reason = self.stop_reason or STOP_REASON

    def kill(self) -> None:
        self.terminate()

    def why_stop(self) -> str:
        return self.stop_reason

    def times(self) -> dict[str, float]:
        """For how long it has run, as details of its exit: the agent may notice that much later."""
        return {"seconds": time.monotonic() - self.began}


def _call_to_its_end(function: Callable[[], object]) -> None:
    """`sys.exit()` and `sys.exit(0)` are good ends, also for the run that is still open."""
    try:
        function()
    except SystemExit as leaving:
        if leaving.code:
            raise


def _exit_of(leaving: SystemExit, times: dict[str, float]) -> Exit:
    if leaving.code is None or isinstance(leaving.code, int):
        return Exit(code=int(leaving.code or 0), details=times)
    return Exit(code=1, error=str(leaving.code), details=times)


def _append(console: Path | None, text: str) -> None:
    if console is not None:
        with suppress(OSError), console.open("a") as file:
            file.write(text)
