"""Hooks that split a model's forward and backward pass into its blocks, for any recorder of marks.

Forward: a block begins where the block before it ended, so that what prepares its input (pooling, upsampling,
concatenation) is its own, and what follows the last block belongs to the last block. Nothing is left over.

Backward: a tensor hook on each tensor that a block puts out fires when that tensor's gradient is complete and the
block's own backward begins; the interval lasts until the next hook fires, or until the end of the backward pass.
These are intervals on the critical path, in the order the autograd engine chose, and not the cost of isolated
kernels: a skip connection's gradient waits for the decoder. Full-backward module hooks would break in-place ReLU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from bench.core.record.timings import LOSS_BACKWARD
from bench.timing.marks import Recorder

_NOTHING = nullcontext()


class Passes(Protocol):
    """Attributes the time (or memory, or arithmetic) of a forward and a backward pass."""

    def attached(self) -> AbstractContextManager[object]:
        """Around any number of passes: sets what hooks it needs, and takes them off."""
        ...

    def forward(self) -> AbstractContextManager[object]:
        """Around the model's forward pass."""
        ...

    def backward(self) -> AbstractContextManager[object]:
        """Around the backward pass."""
        ...


class WholePasses:
    """Each of the two passes as a block, ``forward`` and ``backward``: in training, and of models that are compiled.

    Args:
        span: gives a block by name, as a ledger does.
    """

    def __init__(self, span: Callable[[str], AbstractContextManager[object]]) -> None:
        self._span = span

    def attached(self) -> AbstractContextManager[object]:
        """Do nothing: no hooks were set."""
        return _NOTHING

    def forward(self) -> AbstractContextManager[object]:
        """The block ``forward``."""
        return self._span("forward")

    def backward(self) -> AbstractContextManager[object]:
        """The block ``backward``."""
        return self._span("backward")


class BlockPasses:
    """Both passes block by block: ``forward/<block>``, ``loss backward`` and ``backward/<block>``.

    Args:
        model: hooks are on it within `attached`.
        blocks: its stages, each with its modules; a stage may be entered several times, a module called twice.
        recorder: gets every interval.
    """

    def __init__(self, model: nn.Module, blocks: Mapping[str, list[nn.Module]], recorder: Recorder) -> None:
        self._model, self._blocks, self._recorder = model, blocks, recorder
        self._nested = _nested(blocks)
        self._running: list[str] = []  # of nested blocks only
        self._watched: dict[tuple[int, int], Any] = {}  # its values keep the identities in its keys from being reused
        self._reached: list[tuple[str, Any]] = []
        self._last = ""
        self._since: Any = None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Set the hooks; the model must not be compiled."""
        handles = [self._model.register_forward_hook(self._outputs)]
        for name, modules in self._blocks.items():
            for module in modules:
                if self._nested:
                    handles.append(module.register_forward_pre_hook(self._entered(name)))
                handles.append(module.register_forward_hook(self._left(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Splits the forward pass within."""
        self._reached.clear()
        self._running.clear()
        self._last, self._since = "", self._recorder.mark()
        yield
        self._close(f"forward/{self._last}" if self._last else "forward")

    @contextmanager
    def backward(self) -> Iterator[None]:
        """Splits the backward pass within; it belongs to the last forward pass."""
        self._watched.clear()
        name, since = LOSS_BACKWARD, self._recorder.mark()
        yield
        for reached, mark in self._reached:
            self._recorder.add(name, since, mark)
            name, since = reached, mark
        self._recorder.add(name, since, self._recorder.mark())

    def _close(self, name: str) -> None:
        mark = self._recorder.mark()
        self._recorder.add(name, self._since, mark)
        self._since = mark

    def _entered(self, name: str) -> Callable[[nn.Module, Any], None]:
        forward = f"forward/{name}"

        def hook(_module: nn.Module, _inputs: Any) -> None:
            if self._running:  # a block within a block: what the outer block did so far is its own
                self._close(self._running[-1])
            self._running.append(forward)

        return hook

    def _left(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        forward, backward = f"forward/{name}", f"backward/{name}"

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._close(forward)
            if self._running:
                self._running.pop()
            self._last = name
            if type(output) is Tensor:  # nearly always; what runs here is paid for by every step that is measured
                self._watch(output, backward)
                return
            for tensor in tensors_of(output):
                self._watch(tensor, backward)

        return hook

    def _outputs(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        # A head's own output was watched already: its gradient is its block's, and ends the loss's part as well.
        for tensor in tensors_of(output):
            self._watch(tensor, f"backward/{self._last}" if self._last else "backward")

    def _watch(self, tensor: Tensor, name: str) -> None:
        node = tensor.grad_fn
        if node is None or (identity := (id(node), tensor.output_nr)) in self._watched:
            return
        self._watched[identity] = node
        reached, mark = self._reached.append, self._recorder.mark
        tensor.register_hook(lambda _gradient: reached((name, mark())))  # type: ignore[no-untyped-call]


def _nested(blocks: Mapping[str, list[nn.Module]]) -> bool:
    """Whether some block's module lies within another's; hooks are spared where none does."""
    tops = {module for modules in blocks.values() for module in modules}
    return any(inner in tops for top in tops for inner in top.modules() if inner is not top)


def tensors_of(output: Any) -> Iterator[Tensor]:
    """The tensors in what a module returned: a tensor, or any nesting of lists, tuples, dicts and dataclasses."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from tensors_of(value)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from tensors_of(value)
    elif is_dataclass(output):
        for f in fields(output):
            yield from tensors_of(getattr(output, f.name))
