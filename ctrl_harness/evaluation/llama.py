"""llama.cpp inside this process: one engine a model, shared by all who ask for it.

xllamacpp always opens llama.cpp's own HTTP listener, and only there does a caller who hangs up
free his slot, even halfway through a prompt. So requests go to that listener, which is bound to
a Unix socket in a private folder and locked with a random key: no port, no thread of Python's a
request, no callback into Python while it generates.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import httpx
from anyio.lowlevel import RunVar

from ctrl_harness.errors import CtrlHarnessError, UserError
from ctrl_harness.execution.temporary import new_folder

LOG_VARIABLE = "CTRL_HARNESS_GGUF_LOG"

MAX_THREADS = 8
"""More gain nothing for the small models one runs in process."""

PROMPT_CHUNK = 256
"""Tokens of a prompt between two looks at cancelled requests and at the other slots' next token."""

NICENESS = 5
"""Added to the engine's threads, so that programs under judgement come first."""

_MAX_SOCKET_PATH = 100
_SILENT, _CHATTY = -1, 3


class EngineError(CtrlHarnessError, RuntimeError):
    """llama.cpp refused a request or fell silent; the message is its own."""


class ContextOverflowError(EngineError):
    """The prompt alone is longer than a request's context."""

    def __init__(self, message: str, n_prompt_tokens: int) -> None:
        super().__init__(message)
        self.n_prompt_tokens = n_prompt_tokens


class EngineSettings(NamedTuple):
    """threads: for prompts and for tokens alike. n_ctx: tokens one request may hold, prompt and
    answer together. parallel: requests answered at once; memory grows with n_ctx × parallel.
    """

    threads: int
    n_ctx: int = 8192
    parallel: int = 4


def default_threads() -> int:
    """All cores but one, at most MAX_THREADS; on two cores both, behind the judge (NICENESS)."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, max(2, cores - 1), MAX_THREADS)


class Engine:
    """A loaded model. Loading takes seconds and blocks; requests are asynchronous.

    context: tokens one request may hold: n_ctx in llama.cpp's steps, at most what the model knows.
    """

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        self.path = path
        self.settings = settings
        self._folder = socket_folder()
        self._key = secrets.token_urlsafe(32)
        self._clients: RunVar[httpx.AsyncClient] = RunVar(f"llama-{self._folder.name}")
        try:
            self._server = _serve(path, settings, self._folder / "llama.sock", self._key)
            self.context = self._wait_until_running()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _wait_until_running(self) -> int:
        # xllamacpp says "ready" before its task loop starts, and a loop that starts after it was
        # told to end never ends: closing so young an engine would wait for ever. The slots' states
        # come out of that loop.
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self._folder / "llama.sock"), verify=False),
            headers=self._headers(),
            timeout=None,
            trust_env=False,
        ) as client:
            return int(_answer(client.get("http://llama/slots"))[0]["n_ctx"])

    async def slots(self) -> list[dict[str, Any]]:
        """llama.cpp's own account of its `parallel` slots: `n_ctx`, `is_processing`, …"""
        slots: list[dict[str, Any]] = _answer(await self._send("GET", "/slots"))
        return slots

    async def post(self, route: str, body: Mapping[str, Any]) -> Any:
        """llama.cpp's answer. Waits in line while `parallel` requests are under way; cancelling
        it leaves the line, or frees the slot within about a second.

        Raises ContextOverflowError where the prompt does not fit, EngineError for anything else.
        """
        return _answer(await self._send("POST", route, body))

    async def _send(
        self, method: str, route: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        if self._server is None:
            raise EngineError(f"the engine of {self.path.name} is closed")
        try:
            return await self._client().request(method, route, json=body)
        except httpx.HTTPError as error:
            raise EngineError(f"llama.cpp broke off: {error or type(error).__name__}") from error

    def _client(self) -> httpx.AsyncClient:
        # A client belongs to one event loop. Its connection limit is the line in which requests
        # wait, first come, first served: those that llama.cpp has not seen cost nothing to cancel.
        # A connection is never used twice, because hanging up is how a request is cancelled.
        client = self._clients.get(None)
        if client is None:
            client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    uds=str(self._folder / "llama.sock"),
                    verify=False,
                    trust_env=False,
                    limits=httpx.Limits(
                        max_connections=self.settings.parallel, max_keepalive_connections=0
                    ),
                ),
                base_url="http://llama",
                headers=self._headers(),
                timeout=None,
                trust_env=False,
            )
            self._clients.set(client)
        return client

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def close(self) -> None:
        """Ends the engine's threads and removes its socket. Requests under way fail. Idempotent."""
        self._server = None  # its destructor stops the listener and joins the threads
        shutil.rmtree(self._folder, ignore_errors=True)


class _Shared:
    """An engine and how many hold it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.holders = 0


_shared: dict[tuple[Path, EngineSettings], _Shared] = {}
_shared_lock = threading.Lock()


async def hold_engine(path: Path, settings: EngineSettings) -> Engine:
    """The engine of that file and those settings, loaded in a thread by the first who asks.

    Give it back with `release_engine`.
    """
    with anyio.CancelScope(shield=True):  # a load cannot be cancelled; its hold must not be lost
        engine = await anyio.to_thread.run_sync(_hold, path.resolve(), settings)
    return engine


def _hold(path: Path, settings: EngineSettings) -> Engine:
    with _shared_lock:
        entry = _shared.get((path, settings))
        if entry is None:
            entry = _shared[path, settings] = _Shared(Engine(path, settings))
        entry.holders += 1
        return entry.engine


def release_engine(engine: Engine) -> None:
    """Closes the engine when nobody else holds it."""
    with _shared_lock:
        entry = _shared.get((engine.path, engine.settings))
        if entry is None or entry.engine is not engine:
            return
        entry.holders -= 1
        if entry.holders == 0:
            del _shared[engine.path, engine.settings]
            engine.close()


@atexit.register
def _close_all() -> None:
    # before the interpreter takes its modules apart: the threads must be gone by then
    with _shared_lock:
        for entry in _shared.values():
            entry.engine.close()
        _shared.clear()


def load_library() -> ModuleType:
    """xllamacpp, whose threads sleep while they wait.

    Raises UserError where it is not installed or does not load.
    """
    # OpenMP's threads would spin at each of the hundreds of barriers a token has, which takes the
    # judge's core and, with one other busy process on two cores, costs 80 % of the speed.
    # The library reads the variable once, as it is loaded.
    user_choice = os.environ.get("OMP_WAIT_POLICY")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:
        raise UserError(_missing_library(error)) from error
    finally:
        if user_choice is None:
            del os.environ["OMP_WAIT_POLICY"]
    library: ModuleType = xllamacpp
    return library


def require_library() -> None:
    """Raises UserError where xllamacpp is not installed; does not load it."""
    if find_spec("xllamacpp") is None:
        raise UserError(_missing_library(None))


def _missing_library(error: ImportError | None) -> str:
    if error is None or isinstance(error, ModuleNotFoundError):
        return "gguf/ models need xllamacpp; pip install 'ctrl-harness[local]'"
    return (
        f"xllamacpp does not load here ({str(error).splitlines()[0]}); build it for this machine "
        "with `pip install --no-binary xllamacpp xllamacpp`, or use a model behind an API"
    )


def _serve(path: Path, settings: EngineSettings, socket: Path, key: str) -> Any:
    library = load_library()
    params = library.CommonParams()
    params.model.path = str(path)
    params.n_parallel = settings.parallel
    params.n_ctx = settings.n_ctx * settings.parallel
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.n_batch = params.n_ubatch = PROMPT_CHUNK
    params.hostnames = [str(socket)]
    params.api_keys = [key]
    # a hung-up request keeps its thread for up to a second, while the next one is already here
    params.n_threads_http = 2 * settings.parallel + 2
    params.endpoint_slots = True
    params.ui = False
    params.cache_ram_mib = 0
    params.warmup = False
    params.verbosity = _CHATTY if os.environ.get(LOG_VARIABLE, "0") not in ("", "0") else _SILENT
    return _in_polite_thread(library.Server, params)


def _in_polite_thread(build: Any, params: Any) -> Any:
    """Builds the server in a thread of raised niceness, which all of its threads inherit."""
    built: list[Any] = []
    failed: list[RuntimeError] = []

    def run() -> None:
        if sys.platform == "linux":  # elsewhere niceness belongs to the whole process
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            built.append(build(params))
        except RuntimeError as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="llama-load")
    thread.start()
    thread.join()
    if failed or not built:
        raise UserError(
            f"llama.cpp cannot load {params.model.path}: too little memory for the context, or a "
            f"damaged file; lower n_ctx or parallel, or set {LOG_VARIABLE}=1 to read its own words"
        ) from (failed[0] if failed else None)
    return built[0]


def socket_folder() -> Path:
    """A new private folder whose path leaves room for a socket's name."""
    folder = Path(new_folder("llama"))
    if len(str(folder / "llama.sock")) > _MAX_SOCKET_PATH:  # the kernel's limit is 104 or 108
        folder.rmdir()
        folder = Path(new_folder("llama", "/tmp"))
    return folder


def _answer(response: httpx.Response) -> Any:
    try:
        answer = response.json()
    except ValueError as error:
        raise EngineError(f"llama.cpp answered {response.status_code} and no JSON") from error
    if response.status_code == 200:
        return answer
    details = answer.get("error", {}) if isinstance(answer, dict) else {}
    message = str(details.get("message", answer))
    if details.get("type") == "exceed_context_size_error":
        raise ContextOverflowError(message, int(details.get("n_prompt_tokens", 0)))
    raise EngineError(f"llama.cpp refused the request: {message}")
