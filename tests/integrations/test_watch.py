"""watch() on real torch models: which histograms come, when, and that nothing of it ends the training."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402  behind importorskip

import tracking  # noqa: E402
from tests.acceptance.tracked import Training  # noqa: E402
from tests.integrations.test_lightning import MODEL  # noqa: E402
from tracking.errors import UsageError  # noqa: E402
from tracking.media.binning import counted_tensor, read_back  # noqa: E402
from tracking.media.histogram import Histogram  # noqa: E402
from tracking.watching import hooks  # noqa: E402


class Listener:
    """A run that remembers its rows."""

    disabled = finished = False

    def __init__(self) -> None:
        self.rows: list[dict[str, Histogram]] = []

    def log(self, row: dict[str, Histogram], step: int | None = None, commit: bool | None = None) -> None:
        assert commit is False
        self.rows.append(row)


@pytest.fixture
def run() -> Iterator[Any]:
    listener = Listener()
    yield listener
    hooks.unwatch(listener)  # type: ignore[arg-type]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 4, sparse=True)
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.unused = nn.Linear(4, 4)

    def forward(self, index: Any) -> Any:
        return self.frozen(self.again(self.first(self.embedding(index))))


USED = {"embedding.weight", "first.weight", "first.bias"}
ALL = USED | {"frozen.weight", "frozen.bias", "unused.weight", "unused.bias"}


def train(model: nn.Module, passes: int = 1) -> None:
    for _ in range(passes):
        model(torch.arange(5)).square().mean().backward()


def test_every_log_freq_th_pass_brings_one_row(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log_freq=3)
    train(model, 7)
    assert [set(row) for row in run.rows] == [{f"gradients/{name}" for name in USED}] * 2
    assert {len(one.histogram) for one in run.rows[0].values()} == {64}


def test_parameters_come_with_frozen_and_unused_ones(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log="parameters", log_freq=1)
    train(model)
    assert [set(row) for row in run.rows] == [{f"parameters/{name}" for name in ALL}]
    weights = run.rows[0]["parameters/first.weight"]
    assert (sum(weights.histogram), weights.bins[0]) == (16, pytest.approx(model.first.weight.min().item()))


def test_all_is_both(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log="all", log_freq=1)
    train(model)
    assert set(run.rows[0]) == {f"gradients/{name}" for name in USED} | {f"parameters/{name}" for name in ALL}


def test_zeros_of_sparse_gradients_are_counted(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log_freq=1)
    train(model)
    assert sum(run.rows[0]["gradients/embedding.weight"].histogram) == 40


def test_several_models_have_prefixes(run: Any) -> None:
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    hooks.watch(run, [one, two], log_freq=1)
    (one(torch.ones(1)) + two(torch.ones(1))).sum().backward()
    keys = {key for row in run.rows for key in row}
    assert keys == {"gradients/weight", "gradients/bias", "gradients/graph_1.weight", "gradients/graph_1.bias"}
    third = nn.Linear(1, 1)
    hooks.watch(run, third, log_freq=1)
    third(torch.ones(1)).sum().backward()
    assert set(run.rows[-1]) == {"gradients/graph_2.weight", "gradients/graph_2.bias"}
    fourth = nn.Linear(1, 1)
    hooks.watch(run, fourth, idx=7, log_freq=1)
    fourth(torch.ones(1)).sum().backward()
    assert set(run.rows[-1]) == {"gradients/graph_7.weight", "gradients/graph_7.bias"}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_gradients_that_are_not_finite_are_left_out(bad: float, run: Any) -> None:
    model = nn.Linear(3, 2)
    hooks.watch(run, model, log_freq=1)
    (model(torch.tensor([1.0, 2.0, bad])).sum()).backward()
    assert sum(run.rows[0]["gradients/weight"].histogram) == 4
    (model(torch.full((3,), bad)).sum()).backward()
    assert set(run.rows[1]) == {"gradients/bias"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_tensors_of_every_type_are_counted(dtype: Any) -> None:
    counts, edges = read_back(counted_tensor(torch.tensor([-1, 0, 1, 1]).to(dtype), 64))  # type: ignore[arg-type]
    assert (sum(counts), len(edges)) == (4, len(counts) + 1)


def test_histograms_of_tensors_agree_with_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    data = torch.randn(10_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    counts, edges = numpy.histogram(data.numpy(), bins=64)
    found = Histogram(data)
    assert sum(abs(one - two) for one, two in zip(found.histogram, counts.tolist(), strict=True)) <= 2
    assert numpy.allclose(found.bins, edges)


def test_odd_tensors_have_histograms() -> None:
    assert counted_tensor(torch.empty(0), 8) is None
    assert sum(Histogram(torch.full((5,), float("nan"))).histogram) == 0
    assert Histogram(torch.full((5,), 3.0)).histogram == [5]
    assert Histogram(torch.zeros(3, 4).to_sparse()).histogram == [12]
    assert sum(Histogram(torch.eye(4).to_sparse()).histogram) == 16
    with warnings.catch_warnings(action="ignore"):
        assert sum(Histogram(torch.eye(4).to_sparse_csr()).histogram) == 16
    assert sum(Histogram(torch.tensor([-3e38, 0.0, 3e38])).histogram) == 3
    assert sum(Histogram(torch.tensor([-1.7e308, 1.7e308], dtype=torch.float64)).histogram) == 2
    assert sum(Histogram(torch.ones((1 << 24) + 3).index_fill(0, torch.tensor([0]), 0.0)).histogram) == (1 << 24) + 3


def test_a_model_is_watched_once(run: Any) -> None:
    model = nn.Linear(1, 1)
    hooks.watch(run, model)
    with pytest.raises(UsageError, match="watched already"):
        hooks.watch(run, model)
    hooks.unwatch(run, model)
    hooks.watch(run, model)
    with pytest.raises(UsageError, match="twice"):
        hooks.watch(run, [fresh := nn.Linear(1, 1), fresh])


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_wrong_arguments_are_refused(run: Any) -> None:
    model = nn.Linear(1, 1)
    for arguments, says in (
        ({"models": "net"}, "modules of torch, not str"),
        ({"models": []}, "no model"),
        ({"models": model, "log": "weights"}, "'gradients', 'parameters', 'all'"),
        ({"models": model, "log_freq": 0}, "log_freq=0"),
        ({"models": model, "log_freq": True}, "log_freq=True"),
        ({"models": torch.jit.script(model)}, "TorchScript"),
    ):
        with pytest.raises(UsageError, match=says):
            hooks.watch(run, **arguments)
    train(Net())
    assert run.rows == []


def test_unwatch_takes_the_hooks_away(run: Any) -> None:
    one, two = Net(), Net()
    hooks.watch(run, [one, two], log_freq=1)
    hooks.unwatch(run, one)
    train(one)
    assert run.rows == []
    train(two)
    assert len(run.rows) == 1
    hooks.unwatch(run)
    train(two)
    assert len(run.rows) == 1
    assert all(not parameter._backward_hooks for parameter in (*one.parameters(), *two.parameters()))
    hooks.unwatch(run, one)  # says so, and goes on


def test_a_finished_run_lets_go_of_its_model_and_another_may_watch_it(run: Any) -> None:
    model, ended = Net(), Listener()
    hooks.watch(ended, model, log_freq=1)  # type: ignore[arg-type]
    ended.finished = True
    hooks.watch(run, model, log_freq=1)
    train(model)
    assert (ended.rows, len(run.rows)) == ([], 1)
    run.finished = True
    train(model, 2)
    assert all(not parameter._backward_hooks for parameter in model.first.parameters())


def test_log_none_and_disabled_runs_hook_nothing(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log=None)
    run.disabled = True
    hooks.watch(run, model)
    assert all(not parameter._backward_hooks for parameter in model.parameters())


def test_a_backward_pass_that_broke_off_harms_no_later_one(run: Any) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: Any) -> Any:
            return value.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            raise RuntimeError("out of memory")

    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    model = nn.Sequential(first, second)
    hooks.watch(run, model, log_freq=1)
    with pytest.raises(RuntimeError, match="out of memory"):
        second(Broken.apply(first(torch.ones(2)))).sum().backward()
    assert run.rows == []
    model(torch.ones(2)).sum().backward()
    assert [len(row) for row in run.rows] == [4]


def test_what_goes_wrong_in_a_histogram_does_not_end_the_training(
    run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("no such kernel")

    model = Net()
    hooks.watch(run, model, log_freq=1)
    monkeypatch.setattr(hooks, "counted_tensor", broken)
    train(model, 3)
    assert run.rows == []
    assert capsys.readouterr().err.count("no such kernel") == 1


def test_watched_models_are_copied_and_saved_without_their_hooks(run: Any) -> None:
    model = Net()
    hooks.watch(run, model, log_freq=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.save(model.state_dict(), io.BytesIO())
        torch.save(model, io.BytesIO())
        twin = copy.deepcopy(model)
    train(twin)
    assert run.rows == []


def test_gradient_checkpointing_still_brings_every_gradient(run: Any) -> None:
    from torch.utils.checkpoint import checkpoint

    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(3)])
    hooks.watch(run, model, log_freq=2)
    for _ in range(4):
        value = torch.ones(3, requires_grad=True)
        for layer in model:
            value = checkpoint(layer, value, use_reentrant=True)
        value.sum().backward()
    keys = [key for row in run.rows for key in row]
    assert sorted(keys) == sorted([f"gradients/{name}" for name, _ in model.named_parameters()] * 2)


def test_histograms_belong_to_the_step_that_the_loop_logs_next() -> None:
    model = nn.Linear(2, 1)
    with tracking.init(mode="offline", id="watched") as run:
        run.watch(model, log="all", log_freq=2, log_graph=True)
        for _ in range(4):
            model(torch.ones(2)).sum().backward()
            run.log({"loss": 1.0})
        assert run.step == 4
        assert run.summary["gradients/weight"]["_type"] == "histogram"
        run.unwatch(model)


def test_a_lightning_model_that_is_never_called_itself_is_watched(training: Training) -> None:
    pytest.importorskip("lightning")
    training.run(
        MODEL
        + """
with tracking.init(id="r") as run:
    model = Model()
    logger = SweepwrightLogger(experiment=run)
    logger.watch(model, log="all", log_freq=4)
    pl.Trainer(logger=logger, max_epochs=3, log_every_n_steps=1, enable_progress_bar=False, accelerator="cpu",
               enable_model_summary=False, enable_checkpointing=False).fit(model, data)
"""
    )
    training.ended()
    for key in ("gradients/layer.weight", "parameters/layer.bias"):
        assert [sum(value["values"]) for value in training.values(key)] == [4 if "weight" in key else 1] * 3
