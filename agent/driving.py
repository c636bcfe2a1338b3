"""Runs an agent's loop in a thread, so that the caller's thread is free for a function, a live view or just signals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from agent.assembly import Agent
from agent.executors.function import FunctionExecutor
from agent.loop import Level
from tracking.errors import StoreError

Foreground = Callable[[threading.Event], object]
"""What the caller's thread does until the event is set; it may return earlier."""


def drive(agent: Agent, foreground: Foreground | None = None) -> None:
    """Run the agent to its end. Raises what made it end early, and KeyboardInterrupt after a Ctrl-C in a function."""
    done = threading.Event()
    errors: list[BaseException] = []

    def body() -> None:
        try:
            agent.loop.run()
        except BaseException as error:  # noqa: BLE001  carried over to the caller's thread
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=body, name="sweep-agent")
    thread.start()
    interrupted = False
    try:
        (foreground or _foreground_of(agent))(done)
        done.wait()
    except KeyboardInterrupt:
        interrupted = True
    except BaseException:
        agent.loop.interrupt(Level.TERMINATE)
        raise
    finally:
        if interrupted:
            agent.loop.interrupt(Level.TERMINATE)
        thread.join()
        with suppress(StoreError):
            agent.store.retire_agent(agent.id)
    if errors:
        raise errors[0]
    if interrupted:
        raise KeyboardInterrupt
    if agent.loop.failure is not None:
        raise agent.loop.failure


def _foreground_of(agent: Agent) -> Foreground:
    executor = agent.executor
    if isinstance(executor, FunctionExecutor) and executor.is_served_by_caller:
        return lambda _done: executor.serve()
    return lambda done: done.wait()
