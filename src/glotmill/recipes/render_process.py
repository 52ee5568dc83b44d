"""Renders templates in a process of its own, which may use a second of computing and 64 MB for a prompt.

`python -m glotmill.recipes.render_process` is that process. A request is four bytes, its length, and a
pickle: the digest of a template, its sources (or none, if the process has them), its name, the block to
render (empty: all of it), and the values of a row (or none: those of the request before). An answer is a line
of JSON, since what a hostile template sends must not be able to run here.
"""

import atexit
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError

from glotmill.errors import RequestFailed, one_line
from glotmill.io.child_process import python_command, python_environment

MAX_SECONDS = 1.0
MAX_BYTES = 64_000_000

_LENGTH = struct.Struct("<I")
_MOST_TEMPLATES = 64  # that the process keeps compiled
_LIMITS = f"takes over {MAX_SECONDS:.0f} s of computing or {MAX_BYTES // 1_000_000} MB to render; simplify it"
_ERRORS = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError),
    *(AssertionError, BufferError),
)


class RemoteTemplate:
    """Stands for a compiled template whose parts are rendered in the other process.

    It has what `Template.render` uses of jinja2's: `new_context`, `root_render_func`, and the blocks of a
    context, each a function from the context to texts.
    """

    def __init__(self, sources: Mapping[str, str], name: str) -> None:
        self._sources, self._name = dict(sources), name
        self._digest = sha256(
            repr((name, sorted(sources.items()))).encode("utf-8", "surrogatepass")
        ).hexdigest()

    def new_context(self, values: Mapping[str, Any]) -> "RemoteContext":
        """Return a context with the values of a row."""
        return RemoteContext(self, values)

    def root_render_func(self, context: "RemoteContext") -> Iterator[str]:
        """Yield the text of the whole template."""
        yield context.render("")

    def ask(self, part: str, values: Mapping[str, Any] | None) -> str:
        """Return the text of a part. Raises TemplateError, and RequestFailed as rendering does."""
        process = _processes()
        answer = process.ask((self._digest, None, self._name, part, values))
        if "unknown" in answer:
            answer = process.ask((self._digest, self._sources, self._name, part, values))
        if "failed" in answer:
            raise RequestFailed(*answer["failed"])
        if "error" in answer:
            raise SecurityError(answer["error"])
        return str(answer["text"])


class RemoteContext:
    """The values of one row, sent with its first part."""

    def __init__(self, template: RemoteTemplate, values: Mapping[str, Any]) -> None:
        self._template = template
        self._values: Mapping[str, Any] | None = values
        self.blocks = _Blocks()

    def render(self, part: str) -> str:
        """Return the text of a block; of the whole template, if it has no name."""
        values, self._values = self._values, None
        return self._template.ask(part, values)


class _Blocks:
    def __getitem__(self, name: str) -> tuple[Callable[[RemoteContext], Iterator[str]]]:
        return (lambda context: iter([context.render(name)]),)


class _Process:
    """The process, started when it is first needed, and again after it had to be killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def ask(self, request: Any) -> dict[str, Any]:
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        data = pickle.dumps(request, pickle.HIGHEST_PROTOCOL)
        try:
            process.stdin.write(_LENGTH.pack(len(data)) + data)
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        except BaseException:  # interrupted: what it answers would be taken for the next answer
            self.close()
            raise
        if not line.endswith(b"\n"):
            self.close()
            raise SecurityError(_LIMITS)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()


_LOCAL = threading.local()


def _processes() -> _Process:
    """Return the process of this thread."""
    if not hasattr(_LOCAL, "process"):
        _LOCAL.process = _Process()
    process: _Process = _LOCAL.process
    return process


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        python_command(__name__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=python_environment(),
        start_new_session=True,  # Ctrl-C in a terminal is for the process that asks
    )


# In the process


class _TooLongError(BaseException):
    """The time is over. No `except Exception` of a library may keep it."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _TooLongError


class _Renderer:
    """Renders part after part of one row, and keeps to its limits."""

    def __init__(self) -> None:
        self._templates: dict[str, Any] = {}
        self._context: Any = None
        self._seconds = MAX_SECONDS

    def answer(self, request: bytes) -> dict[str, Any]:
        start = time.process_time()
        try:
            signal.setitimer(signal.ITIMER_PROF, max(self._seconds, 0.001))
            return self._render(request)
        except RequestFailed as error:
            return {"failed": [error.reason, error.detail]}
        except _ERRORS as error:
            return {"error": one_line(error, 500)}
        except (MemoryError, _TooLongError):
            self._context = None
            return {"error": _LIMITS}
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._seconds -= time.process_time() - start

    def _render(self, request: bytes) -> dict[str, Any]:
        from glotmill.recipes.sandbox import MAX_CHARS, join_bounded

        digest, sources, name, part, values = pickle.loads(request)  # noqa: S301 from our own process
        if digest not in self._templates and sources is None:
            return {"unknown": True}
        template = self._templates.get(digest) or self._compile(digest, sources, name)
        if values is not None:
            _bound_memory()
            signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
            self._seconds = MAX_SECONDS
            self._context = template.new_context(values)
        context = self._context
        texts = context.blocks[part][0](context) if part else template.root_render_func(context)
        return {"text": join_bounded(texts, MAX_CHARS)}

    def _compile(self, digest: str, sources: Mapping[str, str], name: str) -> Any:
        from glotmill.recipes.sandbox import compile_here

        if len(self._templates) >= _MOST_TEMPLATES:
            self._templates.clear()
        self._templates[digest] = template = compile_here(sources, name)
        return template


def _bound_memory() -> None:
    """Let this process grow by MAX_BYTES, where the system says how large it is: on Linux."""
    import resource

    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _set_limit(resource.RLIMIT_AS, pages * os.sysconf("SC_PAGESIZE") + MAX_BYTES)


def _bound_time() -> None:
    """End this process if a part takes far too long within one call, where no signal is handled."""
    import resource

    _set_limit(resource.RLIMIT_CPU, int(time.process_time() + MAX_SECONDS) + 2)


def _set_limit(kind: int, value: int) -> None:
    import resource

    most = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    renderer = _Renderer()
    while len(length := requests.read(_LENGTH.size)) == _LENGTH.size:
        _bound_time()
        answer = renderer.answer(requests.read(*_LENGTH.unpack(length)))
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _main() -> None:
    import resource

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGPROF, _stop)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(BrokenPipeError):  # the process that asks is gone
        _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
