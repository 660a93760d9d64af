"""Stand-ins, in a test, for objects that live in a candidate's worker.

`SolutionModule` is what the plugin's `solution` fixture gives. An operation on a proxy is one
request; data that comes back is a copy, anything else a proxy again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal

from ..errors import LoadError, SolutionError
from ..text import printable_line
from ..wire.tags import Reference, RemoteException
from .raised import exception_from
from .remote_worker import RemoteWorker

SINGLE_STEPS = 16
"""A loop is read ahead of only after so many items, so that laziness can be tested."""

MAX_READ_AHEAD = 1024

_ASKED_BY_PYTEST = ("_mock_name", "pytestmark")


class Proxy:
    """An object in the worker.

    Equality and order are asked of the worker only where both sides are the candidate's. Compared
    with data a proxy is never equal: an object that claims to equal everything must not pass, and
    what a test expects must not be sent to the code that it is expected of.
    """

    __slots__ = ("__weakref__", "_description", "_number", "_worker")

    def __init__(self, worker: RemoteWorker, reference: Reference) -> None:
        object.__setattr__(self, "_worker", worker)
        object.__setattr__(self, "_number", reference.number)
        object.__setattr__(self, "_description", printable_line(reference.description, 200))

    def __solution_reference__(self, worker: RemoteWorker) -> Reference | None:
        """What stands for this object in a message to its own worker."""
        return Reference(self._number, "") if worker is self._worker else None

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} cannot be pickled or copied")

    def __repr__(self) -> str:
        return f"<{self._description} in the candidate's process>"

    def __del__(self) -> None:
        self._worker.released.add(self._number)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if _is_refused(name):
            raise AttributeError(f"{self!r} gives no access to {name}")
        return self._worker.request("getattr", self, name)

    def __setattr__(self, name: str, value: object) -> None:
        __tracebackhide__ = True
        self._worker.request("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        __tracebackhide__ = True
        self._worker.request("delattr", self, name)

    def __call__(self, /, *args: object, **kwargs: object) -> Any:
        __tracebackhide__ = True
        return self._worker.request("call", self, *args, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        __tracebackhide__ = True
        return RemoteIterator(self._worker, self._worker.request("iter", self))

    def __next__(self) -> Any:
        __tracebackhide__ = True
        return self._worker.request("next", self)

    def __len__(self) -> int:
        __tracebackhide__ = True
        length: int = self._worker.request("len", self)
        return length

    def __bool__(self) -> bool:
        __tracebackhide__ = True
        return self._worker.request("bool", self) is True

    def __str__(self) -> str:
        __tracebackhide__ = True
        text: str = self._worker.request("str", self)
        return text

    def __dir__(self) -> list[str]:
        __tracebackhide__ = True
        names: list[str] = self._worker.request("dir", self)
        return names

    def __hash__(self) -> int:
        __tracebackhide__ = True
        value: int = self._worker.request("hash", self)
        return value

    def __contains__(self, item: object) -> bool:
        __tracebackhide__ = True
        return self._worker.request("contains", self, item) is True

    def __getitem__(self, key: object) -> Any:
        __tracebackhide__ = True
        return self._worker.request("getitem", self, key)

    def __setitem__(self, key: object, value: object) -> None:
        __tracebackhide__ = True
        self._worker.request("setitem", self, key, value)

    def __delitem__(self, key: object) -> None:
        __tracebackhide__ = True
        self._worker.request("delitem", self, key)

    def __eq__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("eq", other)

    def __ne__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("ne", other)

    def __lt__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("lt", other)

    def __le__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("le", other)

    def __gt__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("gt", other)

    def __ge__(self, other: object) -> Any:
        __tracebackhide__ = True
        return self._compare("ge", other)

    def _compare(self, operation: str, other: object) -> Any:
        __tracebackhide__ = True
        if not isinstance(other, Proxy):
            return NotImplemented
        return self._worker.request(operation, self, other)


class RemoteIterator:
    """An iterator in the worker.

    Items are asked for one by one at first. A loop that asks for nothing else of the candidate
    between them is read ahead of after `SINGLE_STEPS` items, twice as far each time.
    """

    def __init__(self, worker: RemoteWorker, iterator: object) -> None:
        if not isinstance(iterator, Proxy):
            raise SolutionError(f"iter() gave {type(iterator).__name__}, which is no iterator")
        self._worker = worker
        self._iterator = iterator
        self._items: deque[Any] = deque()
        self._ended: RemoteException | tuple[()] | None = None
        self._steps = 0
        self._requests_seen = 0

    def __solution_reference__(self, worker: RemoteWorker) -> Reference | None:
        """What stands for this iterator in a message to its own worker."""
        return self._iterator.__solution_reference__(worker)

    def __repr__(self) -> str:
        return repr(self._iterator)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        return getattr(self._iterator, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        __tracebackhide__ = True
        if not self._items and self._ended is None:
            self._pull(self._read_ahead())
        if self._items:
            return self._items.popleft()
        raise self._end()

    def take(self, at_most: int) -> list[Any]:
        """The next items, exactly `at_most` of them unless the iterator ends before."""
        __tracebackhide__ = True
        while len(self._items) < at_most and self._ended is None:
            self._pull(at_most - len(self._items))
        if len(self._items) < at_most and self._ended:
            raise self._end()
        return [self._items.popleft() for _ in range(min(at_most, len(self._items)))]

    def _read_ahead(self) -> int:
        undisturbed = self._requests_seen == self._worker.requests
        undisturbed &= self._worker.stand_ins.is_empty()  # What it asks shows how far it is.
        self._steps = self._steps + 1 if undisturbed else 0
        return min(1 << max(0, self._steps - SINGLE_STEPS), MAX_READ_AHEAD)

    def _pull(self, at_most: int) -> None:
        __tracebackhide__ = True
        items, self._ended, _ = pull(self._worker, "pull_on", self._iterator, at_most)
        self._items.extend(items)
        self._requests_seen = self._worker.requests

    def _end(self) -> BaseException:
        described, self._ended = self._ended, None
        return exception_from(described) if described else StopIteration()


class SolutionModule:
    """The candidate's module, loaded when a test first asks something of it.

    `load` gives the proxy of the loaded module; it may raise any `CandidateFault`.
    """

    __slots__ = ("_load", "_path")

    def __init__(self, path: str, load: Callable[[], Proxy]) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_load", load)

    def __repr__(self) -> str:
        return f"<candidate {self._path}>"

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name == "__all__":  # For `from NAME import *`.
            return self._public_names()
        if _is_refused(name) or name in _ASKED_BY_PYTEST:
            # Python asks for these at `import NAME`, pytest while it looks for tests and fixtures.
            raise AttributeError(f"{self!r} gives no access to {name}")
        try:
            return getattr(self._load(), name)
        except AttributeError as error:
            if isinstance(error, SolutionError):
                error.failure_mode = LoadError.failure_mode
            raise

    def __setattr__(self, name: str, value: object) -> None:
        __tracebackhide__ = True
        setattr(self._load(), name, value)

    def __delattr__(self, name: str) -> None:
        __tracebackhide__ = True
        delattr(self._load(), name)

    def __dir__(self) -> list[str]:
        return dir(self._load())

    def _public_names(self) -> list[str]:
        module = self._load()
        try:
            names = module._worker.request("getattr", module, "__all__")
        except AttributeError:
            names = dir(module)
        return [name for name in names if isinstance(name, str) and not name.startswith("_")]


def _is_refused(name: str) -> bool:
    return name.startswith("__") and name not in ("__name__", "__qualname__", "__doc__")


def make_proxy(worker: RemoteWorker, reference: Reference, kind: type[Proxy] = Proxy) -> Proxy:
    """The proxy for a reference that a worker sent; one and the same while somebody holds it."""
    number = reference.number
    proxy = worker.proxies.get(number)
    if proxy is None:
        proxy = worker.proxies[number] = kind(worker, reference)
        worker.released.discard(number)
    return proxy


def pull(
    worker: RemoteWorker, operation: Literal["pull", "pull_on"], source: Proxy, at_most: int
) -> tuple[list[Any], RemoteException | tuple[()] | None, Proxy | None]:
    """Ask an iterable for items, or an iterator for more of them.

    Gives what came, how it ended (None: there may be more; empty: no exception), and the iterator
    to continue with.
    """
    __tracebackhide__ = True
    match worker.request(operation, source, at_most):
        case [list() as items, None, _] if len(items) == at_most:
            return items, None, None
        case [list() as items, None, Proxy() as rest] if 0 < len(items) < at_most:
            return items, None, rest
        case [list() as items, [], None] if len(items) <= at_most:
            return items, (), None
        case [list() as items, (str(), str(), str(), str()) as described, None] if (
            len(items) <= at_most
        ):
            return items, RemoteException(*described), None
    raise worker.breach("items that nobody asked for")
