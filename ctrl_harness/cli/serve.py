"""`ctrl-harness serve`: the judge behind an HTTP port."""

from __future__ import annotations

import logging
import sys

import click

from ctrl_harness.cli.options import executor_options
from ctrl_harness.errors import UserError
from ctrl_harness.execution.choice import get_executor

_POSITIVE = click.FloatRange(0, 1e6, min_open=True, max_open=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 for any."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Programs judged at once; the cores by default."
)
@click.option(
    "--token", envvar="CTRL_HARNESS_TOKEN", help="Asked of requests; or CTRL_HARNESS_TOKEN."
)
@click.option(
    "--queue", type=click.IntRange(0), default=256, show_default=True,
    help="Requests on /verify and /execute that may wait; more get 429.",
)
@click.option(
    "--max-body-mb", type=_POSITIVE, default=64.0, show_default=True, help="MiB of a request."
)
@click.option(
    "--max-connections", type=click.IntRange(8), default=2048, show_default=True,
    help="Connections, if `ulimit -n` allows as many.",
)
@click.option(
    "--max-time-limit", type=_POSITIVE, default=300.0, show_default=True,
    help="The most wall seconds a test may ask for.",
)
@click.option(
    "--max-memory-mb", type=_POSITIVE, default=8192.0, show_default=True,
    help="The most MiB a test may ask for.",
)
@click.option(
    "--max-output-mb", type=_POSITIVE, default=64.0, show_default=True,
    help="The most MiB a test may ask to print or return.",
)
@click.option(
    "--grace", type=click.FloatRange(0, 3600), default=30.0, show_default=True,
    help="Seconds to finish when stopped.",
)
@executor_options
def serve(
    host: str,
    port: int,
    workers: int | None,
    token: str | None,
    queue: int,
    max_body_mb: float,
    max_connections: int,
    max_time_limit: float,
    max_memory_mb: float,
    max_output_mb: float,
    grace: float,
    executor: str | None,
    unsafe_no_isolation: bool,
    packages: tuple[str, ...],
) -> None:
    """Serve the judge over HTTP, with SandboxFusion's routes for Python.

    Stops on SIGTERM or SIGINT: it takes nothing new and finishes what is inside.
    """
    try:
        from ctrl_harness.server.log_limit import LogLimit
        from ctrl_harness.server.run import run_server
        from ctrl_harness.server.settings import ServerSettings
    except ImportError as error:
        raise UserError(
            f"the server needs {error.name}; install it with: pip install 'ctrl-harness[server]'"
        ) from error
    from ctrl_harness.execution.threads import usable_cores

    lines = logging.StreamHandler(sys.stderr)
    lines.addFilter(LogLimit())
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[lines])
    if token is not None and not token.strip():
        raise UserError("the token is empty; give one, or none at all")
    workers = workers or usable_cores()
    settings = ServerSettings(
        workers=workers,
        max_waiting=queue,
        max_body_mb=max_body_mb,
        max_pending_mb=max(1024.0, max_body_mb),
        max_connections=max_connections,
        max_time_s=max_time_limit,
        max_memory_mb=max_memory_mb,
        max_output_mb=max_output_mb,
        grace_s=grace,
        token=token,
    )
    judging = get_executor(
        executor, jobs=workers, unsafe_no_isolation=unsafe_no_isolation, packages=packages
    )
    run_server(judging, settings, host, port)
