"""Runs a comparison: drafts once, then every arm on them, each an eval set that can be resumed.

A folder holds it all: `request.json`, `drafts.jsonl` (frozen), `cache` (the answers of models, so
that not even a call of a sample that was cut off is made again), and logs a folder an arm.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout
from inspect_ai import Task, eval_set
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog
from inspect_ai.model import CachePolicy, get_model

from ctrl_harness.errors import UserError
from ctrl_harness.evaluation.compare_arms import ArmSpec, Request
from ctrl_harness.evaluation.compare_drafts import drafts_from
from ctrl_harness.evaluation.frozen import FrozenDrafts, read_drafts, write_drafts
from ctrl_harness.evaluation.samples import InputError

_CACHE = "INSPECT_CACHE_DIR"


class Ran(NamedTuple):
    """An arm's log, and whether each of its samples came to an end."""

    spec: ArmSpec
    log: Path
    complete: bool


class Run(NamedTuple):
    """drafts: None for JudgeBench, which has none."""

    arms: list[Ran]
    drafts: FrozenDrafts | None


def run_comparison(request: Request, arms: list[ArmSpec], out: Path) -> Run:
    """Runs what is not there yet. Raises UserError for a folder that holds another comparison, and
    for what is wrong with the input of all arms alike."""
    out = out.resolve()  # the logs say where the drafts are
    out.mkdir(parents=True, exist_ok=True)
    with _alone_in(out), _cache_in(out), _one_sentence():
        _remember(request, arms, out)
        if request.dataset == "judgebench":
            judging = {"source": request.source, "protocol": request.protocol, **request.settings}
            limit = {"limit": request.limit}
            return Run([_run_arm(request, a, out, judging, limit, a.model) for a in arms], None)
        arguments = _arguments(request)
        for arm in arms:  # what is wrong with one of them shows before any model is asked
            if not arm.is_control:
                make_task(request.dataset, **{**arguments, **arm.settings})
        drafts = _drafts(request, arguments, out)
        told = {"epochs": drafts.epochs, "drafts": str(out / "drafts.jsonl")}
        chosen = {"sample_id": drafts.problems}
        ran: dict[str, Ran] = {}
        for arm in sorted(arms, key=lambda arm: arm.is_control):  # controls need their arm's log
            own, model = {**arguments, **told}, arm.model
            if arm.arm is not None:
                own["arm"], model = str(ran[arm.arm].log), ran[arm.arm].spec.model
            ran[arm.name] = _run_arm(request, arm, out, own, chosen, model)
        return Run([ran[arm.name] for arm in arms], drafts)


def make_task(dataset: str, **arguments: Any) -> Task:
    """One of the tasks by the name of its data set."""
    # the registry knows the tasks, and we do not; by name Inspect finds them in some folders only
    registered = importlib.import_module("ctrl_harness._registry")
    made: Task = getattr(registered, dataset)(**arguments)
    return made


def _arguments(request: Request) -> dict[str, Any]:
    """Of every task; revisions are greedy unless somebody says otherwise."""
    if "widths" in request.settings:
        raise UserError("a comparison has no widths; give --epochs, --turns and -T branches=…")
    greedy = {} if request.protocol != "default" else {"revision_temperature": 0.0}
    return {
        "source": request.source,
        "protocol": request.protocol,
        **greedy,
        **request.settings,
    }


def _drafts(request: Request, arguments: Mapping[str, Any], out: Path) -> FrozenDrafts:
    """The frozen drafts; generated, or taken from elsewhere, at the first run alone."""
    path = out / "drafts.jsonl"
    if path.exists():
        return read_drafts(path)
    of_drafts = {key: value for key, value in arguments.items() if key != "branches"}
    task = make_task(request.dataset, **{**of_drafts, "turns": 0})
    if request.drafts is not None:
        log = Path(request.drafts)
    else:
        print("drafts", file=sys.stderr)
        done = _eval(request, task, out / "logs" / "drafts", {"limit": request.limit}, None)
        _refuse_empty(done.header)
        log = done.log
    drafts = drafts_from(log, request, task, request.limit)
    write_drafts(path, drafts)
    return drafts


def _run_arm(
    request: Request,
    arm: ArmSpec,
    out: Path,
    arguments: Mapping[str, Any],
    chosen: Mapping[str, Any],
    model: str | None,
) -> Ran:
    """model: of the role `critic`, which a control has from its arm."""
    print(f"{arm.name}: {arm.critic}", file=sys.stderr)
    task = make_task(request.dataset, **{**arguments, **arm.settings})
    done = _eval(request, task, out / "logs" / arm.folder, chosen, model)
    return Ran(arm, done.log, done.complete)


class _Done(NamedTuple):
    log: Path
    complete: bool
    header: EvalLog


def _eval(
    request: Request, task: Task, folder: Path, chosen: Mapping[str, Any], critic: str | None
) -> _Done:
    """One eval set of one task; its finished samples are never run again."""
    folder.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):  # the table alone goes to standard output
        complete, (log,) = eval_set(
            task,
            log_dir=str(folder),
            model=request.model,
            model_args=dict(request.model_args),
            model_roles=None if critic is None else {"critic": get_model(critic)},
            # one attempt: what failed once is told, and tried again by the next run
            retry_attempts=1,
            retry_immediate=False,
            retry_cleanup=False,
            fail_on_error=True,
            continue_on_fail=True,
            log_dir_allow_dirty=True,
            cache=CachePolicy(expiry=None),
            **{"display": "none", **chosen, **request.run, **request.generate},
        )
    return _Done(_path_of(log), complete, log)


def _path_of(log: EvalLog) -> Path:
    """Where it is; of a log that was there before Inspect tells a URL."""
    where = urlsplit(log.location)
    return Path(unquote(where.path) if where.scheme == "file" else log.location)


def _refuse_empty(log: EvalLog) -> None:
    """Raises UserError where not one draft came."""
    done = log.results.completed_samples if log.results is not None else 0
    if log.status != "success" and done == 0:
        reason = log.error.message.splitlines()[0] if log.error is not None else log.status
        raise UserError(f"no draft could be written: {reason}")


# -- the folder


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    try:
        with FileLock(out / ".lock", timeout=0):
            yield
    except Timeout:
        raise UserError(f"another comparison is running in {out}; wait for it") from None


@contextmanager
def _cache_in(out: Path) -> Iterator[None]:
    """Inspect's cache of answers, in this folder: it belongs to this comparison."""
    before = os.environ.get(_CACHE)
    os.environ[_CACHE] = str(out / "cache")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CACHE]
        else:
            os.environ[_CACHE] = before


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What Inspect says of the user's input, as our own error."""
    try:
        yield
    except InputError as error:
        raise UserError(str(error)) from error
    except PrerequisiteError as error:
        raise UserError(" ".join(str(error.message).split())) from error


def _remember(request: Request, arms: list[ArmSpec], out: Path) -> None:
    """Keeps what was asked for; arms may be added later, and nothing else may change."""
    path = out / "request.json"
    asked = json.loads(json.dumps(request.as_json(), default=str))
    told = {arm.name: arm.as_json() for arm in arms}
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = [key for key in asked if before["request"][key] != asked[key]]
            known: dict[str, Any] = before["arms"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} cannot be read; give another --out") from error
        changed += [f"arm {name}" for name in told if known.get(name, told[name]) != told[name]]
        if changed:
            raise UserError(
                f"{out} holds another comparison, with another {' and '.join(changed)}; give "
                "another --out"
            )
        told = {**known, **told}
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"request": asked, "arms": told}, indent=2), encoding="utf-8")
    new.replace(path)
