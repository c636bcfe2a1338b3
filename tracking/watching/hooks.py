"""Hooks in torch models that record histograms of gradients and parameters every so many backward passes.

A hook sits on every trainable parameter and counts its backward passes; only when its turn has come it looks at the
gradient, on the device where it is. What one pass brings is one row, written when the pass is over, without committing
the step: the next `log()` of the training loop adds its numbers to it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from tracking.errors import UsageError
from tracking.media.binning import Binned, counted_tensor, read_back
from tracking.media.histogram import Histogram
from tracking.notices import warn_once

if TYPE_CHECKING:
    from tracking.live.run import Run

BINS = 64
_CHOICES = ("gradients", "parameters", "all", None)
_watched: WeakKeyDictionary[Any, Watched] = WeakKeyDictionary()
"""By model. A model has one watcher, for its parameters can tell only one story."""
_counts: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""How many models a run has watched: the second one gets a prefix."""


def watch(
    run: Run,
    models: Any,
    criterion: Any = None,
    log: str | None = "gradients",
    log_freq: int = 1000,
    idx: int | None = None,
    log_graph: bool = False,
) -> None:
    """Record histograms of torch modules: `gradients/<parameter>` and `parameters/<parameter>`.

    Args:
        models: One module or several. The first of a run has no prefix, the others `graph_1.`, `graph_2.` …
        criterion: Taken for those who give it; nothing needs it.
        log: "gradients", "parameters", "all", or None for nothing.
        log_freq: Every how many backward passes.
        idx: The number of the first model, where the prefix should not simply count on.
        log_graph: Taken for those who give it; graphs of models are not recorded.

    Raises:
        UsageError: No torch module, a scripted one, one that is watched already, or a wrong `log` or `log_freq`.
    """
    if log not in _CHOICES:
        raise UsageError(f"watch(log={log!r}): it can be 'gradients', 'parameters', 'all' or None")
    if isinstance(log_freq, bool) or not isinstance(log_freq, int) or log_freq < 1:
        raise UsageError(f"watch(log_freq={log_freq!r}): a whole number of backward passes, 1 or more")
    if run.disabled or log is None:
        return
    modules = _checked_modules(models)
    first = _counts.get(run, 0) if idx is None else idx
    for number, module in enumerate(modules, first):
        prefix = f"graph_{number}." if number > 0 else ""
        _watched[module] = Watched(run, module, prefix, log in ("gradients", "all"), log != "gradients", log_freq)
    _counts[run] = max(_counts.get(run, 0), first + len(modules))


def unwatch(run: Run, models: Any = None) -> None:
    """Take the hooks away from these models, or from all that the run watches; others are left alone."""
    if models is None:
        found = [module for module, watched in _watched.items() if watched.run is run]
    else:
        found = list(_as_list(models))
    for module in found:
        watched = _watched.get(module) if _is_module(module) else None
        if watched is None or watched.run is not run:
            warn_once(f"unwatch:{id(module)}", f"unwatch(): {type(module).__name__} is not watched")
            continue
        watched.remove()
        del _watched[module]


class Watched:
    """The hooks of one model, and what the backward pass in progress has brought so far."""

    def __init__(self, run: Run, module: Any, prefix: str, gradients: bool, parameters: bool, frequency: int) -> None:
        self.run = run
        self._module = ref(module)
        self._prefix = prefix
        self._parameters = parameters
        self._frequency = frequency
        self._lock = threading.Lock()  # DataParallel and several devices run hooks in several threads
        self._gradients = gradients
        self._found: dict[str, Binned | None] = {}
        """By parameter: what the pass in progress has brought. Empty between the passes of interest."""
        # A parameter that several modules share has one gradient: named_parameters() gives it once, by its first name.
        trainable = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
        self._handles = [self._hook(parameter, name) for name, parameter in trainable]
        if not self._handles:
            warn_once(
                f"watch:{id(module)}",
                f"watch(): {type(module).__name__} has no trainable parameter, so no backward pass",
            )

    def remove(self) -> None:
        """Take all hooks away. Twice is no error."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _hook(self, parameter: Any, name: str) -> Any:
        passes = 0
        frequency = self._frequency

        def hook(gradient: Any) -> None:
            nonlocal passes
            passes += 1
            if passes >= frequency:
                passes = 0
                self._take(name, gradient)

        hook.__torch_unserializable__ = True  # type: ignore[attr-defined]  # torch.save() must not warn of it
        return parameter.register_hook(hook)

    def _take(self, name: str, gradient: Any) -> None:
        """Count a gradient. The first one of a pass asks torch to say when the pass is over."""
        try:
            if self.run.finished:
                self.remove()
                return
            binned = counted_tensor(gradient, BINS) if self._gradients else None
            with self._lock:
                if name in self._found:
                    self._found = {}  # the pass before broke off, so nobody was told of its end
                first = not self._found
                self._found[name] = binned
            if first:
                sys.modules["torch"].autograd.Variable._execution_engine.queue_callback(self._write)
        except Exception as error:  # noqa: BLE001  boundary: odd tensors must not end the backward pass
            self._complain(error)

    def _write(self) -> None:
        """Record what the pass brought, and the parameters as they were in it."""
        with self._lock:
            found, self._found = self._found, {}
        try:
            binned = {f"gradients/{self._prefix}{name}": one for name, one in found.items() if one is not None}
            if self._parameters:
                binned.update(self._count_parameters())
            row = {key: Histogram.of_counts(*read_back(one)) for key, one in binned.items()}
            if row and not self.run.finished:
                self.run.log(row, commit=False)
        except Exception as error:  # noqa: BLE001  boundary: what is recorded must not end the training
            self._complain(error)

    def _count_parameters(self) -> Iterator[tuple[str, Binned]]:
        module = self._module()
        for name, parameter in module.named_parameters() if module is not None else ():
            if not _is_lazy(parameter) and (binned := counted_tensor(parameter, BINS)) is not None:
                yield f"parameters/{self._prefix}{name}", binned

    def _complain(self, error: Exception) -> None:
        warn_once(f"watch:{id(self)}", f"watch(): a histogram could not be made: {type(error).__name__}: {error}")


def _checked_modules(models: Any) -> list[Any]:
    modules = list(_as_list(models))
    if not modules:
        raise UsageError("watch(): no model was given")
    for module in modules:
        if not _is_module(module):
            raise UsageError(f"watch(): it takes modules of torch, not {type(module).__name__}")
        if isinstance(module, sys.modules["torch"].jit.ScriptModule):
            raise UsageError("watch(): hooks do not work in TorchScript; watch the module before torch.jit.script()")
        watched = _watched.get(module)
        if watched is not None and not watched.run.finished:
            raise UsageError(f"watch(): this {type(module).__name__} is watched already; call unwatch() first")
        if watched is not None:
            watched.remove()
    if len({id(module) for module in modules}) < len(modules):
        raise UsageError("watch(): a model is in the list twice")
    return modules


def _as_list(models: Any) -> Iterable[Any]:
    return models if isinstance(models, (list, tuple)) else (models,)


def _is_module(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _is_lazy(parameter: Any) -> bool:
    return hasattr(parameter, "materialize")  # a size that is not known before the first forward pass
