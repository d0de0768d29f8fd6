"""The LM `ctrl-critic`: any model of lm-eval's in the loop of drafts, critiques and revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast, get_args

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM, CachingLM
from lm_eval.api.registry import get_model

from ctrl_harness.critique.choice import get_prompts
from ctrl_harness.critique.critic import (
    CriticContext,
    FeedbackTests,
    feedback_from,
    on_public_cases,
)
from ctrl_harness.critique.critics import RUNNING
from ctrl_harness.critique.messages import Call, Completion, Role
from ctrl_harness.critique.prompts import Prompts, built_in_sets
from ctrl_harness.critique.protocol import stage_of
from ctrl_harness.critique.revise import Chain, History, Loop, Replay
from ctrl_harness.errors import ContextOverflow, CriticError, JudgeError, UserError
from ctrl_harness.evaluation import parameters
from ctrl_harness.evaluation.roles import find_guarded, open_judge
from ctrl_harness.plugins.lm_eval.chain_text import ChainText
from ctrl_harness.plugins.lm_eval.chats import render
from ctrl_harness.plugins.lm_eval.context_overflow import Overflow, name_overflows
from ctrl_harness.plugins.lm_eval.conversation import (
    Conversation,
    Conversations,
    RequestPrompts,
)
from ctrl_harness.plugins.lm_eval.documents import PROBLEM_SET, problem_of
from ctrl_harness.plugins.lm_eval.inner_calls import InnerCall, InnerRequest
from ctrl_harness.plugins.lm_eval.trace import Trace
from ctrl_harness.plugins.lm_eval.waves import Ask, run_in_waves
from ctrl_harness.problems.problem import Problem

ANSWERS = Path(__file__).parent / "prompts" / "answers"
"""The prompt set for tasks whose answers are no programs."""
CRITIQUE_TOKENS = 1024
_TOKEN_LIMITS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")


class CriticLM(LM):  # type: ignore[misc]
    """Every generation request is drafted, criticised and revised; the last revision is the answer.

    generator: name of an lm-eval model; generator_args: its arguments, a dict or lm-eval's text.
    critic_model, critic_model_args: the model that criticises, by default the generator itself.
    critic: model, execution, model+execution, or a plug-in's name. turns, votes, stop_at_correct,
    history, replay, extraction, time_limit, output_mb, executor, unsafe_no_isolation, packages,
    feedback_tests: as the Inspect tasks have them (docs/tasks.md). prompts: a prompt set; for
    programs of ours `default`, for other tasks one that asks for an answer in the task's own form.
    critique_kwargs, revision_kwargs: generation settings of critiques and revisions, over the
    task's own.
    critic_chat: whether critiques are asked in a chat; as the task's requests are by default.
    trace: a JSONL file that every chain is added to. cache: how a file's name begins in which each
    model's answers are kept, but for sampled ones, so that a run that was cut off goes on.

    Likelihoods are the generator's own. Raises UserError for arguments that cannot be used.
    """

    def __init__(
        self,
        generator: str | None = None,
        generator_args: Any = None,
        critic_model: str | None = None,
        critic_model_args: Any = None,
        critic: str = "model",
        turns: int = 1,
        votes: int = 1,
        stop_at_correct: bool = False,
        history: str = "latest",
        replay: str = "raw",
        prompts: str | None = None,
        extraction: str = "first_fence",
        time_limit: str | float = "row",
        output_mb: str | float = "row",
        executor: str | None = None,
        unsafe_no_isolation: bool = False,
        packages: str | Sequence[str] | None = None,
        feedback_tests: str = "public",
        critique_kwargs: Mapping[str, Any] | None = None,
        revision_kwargs: Mapping[str, Any] | None = None,
        critic_chat: bool | None = None,
        trace: str | None = None,
        cache: str | None = None,
        **of_lm_eval: Any,
    ) -> None:
        super().__init__()
        if generator is None:
            raise UserError(
                "ctrl-critic wraps another model: --model_args "
                "generator=NAME,generator_args={...},turns=1 (docs/lm_eval.md)"
            )
        unknown = sorted(set(of_lm_eval) - {*_FOR_BOTH, "trust_remote_code"})
        if unknown:
            raise UserError(
                f"ctrl-critic has no argument {unknown[0]!r}; the models' own go into "
                "generator_args and critic_model_args"
            )
        self._stop_at_correct = parameters.flag("stop_at_correct", stop_at_correct)
        self._history: Any = parameters.one_of(get_args(History), "history", history)
        self._replay: Any = parameters.one_of(get_args(Replay), "replay", replay)
        self._turns = parameters.whole_number("turns", turns)
        self._critic_name = parameters.critic("critic", critic)
        tests = parameters.one_of(get_args(FeedbackTests), "feedback_tests", feedback_tests)
        self._feedback_tests = cast(FeedbackTests, tests)
        self._factory = find_guarded(
            self._critic_name, votes=votes, feedback_tests=self._feedback_tests
        )
        self._judge = open_judge(
            extraction=extraction,
            comparator=None,
            executor=executor,
            unsafe_no_isolation=unsafe_no_isolation,
            packages=parameters.names("packages", packages),
            time_limit=time_limit,
            output_mb=output_mb,
        )
        self._prompts = None if prompts is None else parameters.path_or_name(
            prompts, built_in_sets()
        )
        self._kwargs = {
            "critique": _dict("critique_kwargs", critique_kwargs),
            "revision": _dict("revision_kwargs", revision_kwargs),
        }
        self._trace = None if trace is None else Trace(Path(str(trace)).expanduser())
        self._generator = _make(generator, generator_args, of_lm_eval)
        self._critic = (
            self._generator
            if critic_model is None
            else _make(critic_model, critic_model_args, of_lm_eval)
        )
        for model in {id(model): model for model in (self._generator, self._critic)}.values():
            name_overflows(model)
        if critic_model is None and critic_model_args is not None:
            raise UserError("critic_model_args need critic_model, the name of an lm-eval model")
        self._asked: dict[Role, Any] = {"generator": self._generator, "critic": self._critic}
        if cache is not None:
            self._asked = _cached(self._generator, self._critic, str(cache))
        self._chat = False
        self._critic_chat = critic_chat
        self._conversations = Conversations()

    # -- requests

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        counts: Counter[int] = Counter()
        chains = []
        for request in requests:
            counts[id(request)] += 1
            chains.append(partial(self._chain, request, counts[id(request)]))
        return run_in_waves(chains, self._answer)

    def loglikelihood(self, requests: Sequence[Instance]) -> Any:
        return self._asked["generator"].loglikelihood(requests)

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> Any:
        return self._asked["generator"].loglikelihood_rolling(requests)

    async def _chain(
        self, request: Instance, number: int, ask: Ask[tuple[Role, InnerRequest], str]
    ) -> str:
        """One chain of one request; number: which of its repeats, from 1."""
        if len(request.args) > 2:
            raise UserError(f"{request.task_name} shows images or sound, which critics cannot see")
        context, task_kwargs = request.args
        talk = self._conversations.of(context, chat=self._chat)
        problem = self._problem(request, talk)
        prompts = RequestPrompts(self._prompts_of(problem), talk.messages)

        async def generate(call: Call) -> Completion:
            if call.agent is not None:
                raise UserError("agents need Inspect; choose a critic that is none")
            inner = InnerRequest(
                "generate_until",
                request.doc,
                (self._context(talk, call), self._gen_kwargs(task_kwargs, call)),
                request.idx,
                (request.task_name, request.doc_id, 1),
                call=InnerCall(call.role, call.turn, call.vote, number),
            )
            text = await ask((call.role, inner))
            if isinstance(text, Overflow):
                if call.role == "critic":  # it has said nothing
                    return Completion("", cut_off=True)
                raise ContextOverflow(
                    f"a request of {request.task_name} does not fit into the generator's "
                    f"context ({text.reason}); serve it with a longer one, or give max_gen_toks "
                    "a smaller value"
                )
            return Completion(talk.prefix + text if call.role == "generator" else text)

        critic = self._factory(
            CriticContext(
                generate,
                on_public_cases(self._judge, problem),
                prompts,
                feedback_from(self._judge, problem, self._feedback_tests),
            )
        )
        loop = Loop(
            generate,
            critic,
            prompts,
            self._judge,
            self._turns,
            self._stop_at_correct,
            self._history,
            self._replay,
        )
        failed: str | None = None
        chain: Chain | None = None
        try:
            async for chain in loop.grow(problem):  # noqa: B007 - read below
                pass
        except CriticError as error:
            # another's task would score the last program as if it had been revised
            if not _is_ours(request.doc):
                raise
            failed = str(error)
        assert chain is not None
        if self._trace is not None:
            self._trace.add(request, number, chain, failed)
        texts = [draft.completion.removeprefix(talk.prefix) for draft in chain.programs]
        return ChainText(self._filled(texts), failed)

    def _filled(self, texts: list[str]) -> list[str]:
        """After a stop at "Correct" the last program stands for the turns that were not needed."""
        return texts + texts[-1:] * (self._turns + 1 - len(texts))

    def _answer(self, wave: list[tuple[Role, InnerRequest]]) -> list[str]:
        """Asks each model once for all that is wanted of it."""
        answers = [""] * len(wave)
        models = {id(self._asked[role]): self._asked[role] for role, _ in wave}
        for key, model in models.items():
            places = [n for n, (role, _) in enumerate(wave) if id(self._asked[role]) == key]
            texts = model.generate_until([wave[n][1] for n in places])
            for place, text in zip(places, texts, strict=True):
                if not isinstance(text, str):  # some models answer None where a server failed
                    raise JudgeError(f"a model answered {text!r}, no text; its log says why")
                answers[place] = text
        return answers

    def _problem(self, request: Instance, talk: Conversation) -> Problem:
        if _is_ours(request.doc):
            return problem_of(request.doc)
        if self._critic_name in RUNNING:
            raise UserError(
                f"critic={self._critic_name} runs programs, and {request.task_name} has none to "
                "run; choose critic=model"
            )
        name = str(request.task_name)
        return Problem(f"{name}/{request.doc_id}", name, talk.question, ())

    def _prompts_of(self, problem: Problem) -> Prompts:
        ours = bool(problem.cases)
        return _prompts(self._prompts or ("default" if ours else str(ANSWERS)), problem.dataset)

    def _context(self, talk: Conversation, call: Call) -> Any:
        if call.role == "generator":
            return talk.generator_context(call.messages, self._generator.apply_chat_template)
        chat = talk.chat if self._critic_chat is None else self._critic_chat
        return render(call.messages, self._critic.apply_chat_template if chat else None)

    def _gen_kwargs(self, task_kwargs: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """A critique ends where the critic ends it, whatever ends the task's answers."""
        kwargs = dict(deepcopy(task_kwargs))
        stage = stage_of(call)
        if stage == "critique":
            kwargs = {k: v for k, v in kwargs.items() if k not in _TOKEN_LIMITS}
            kwargs |= {"until": [], "max_gen_toks": CRITIQUE_TOKENS}
        changed = deepcopy(self._kwargs.get(stage, {}))
        if any(name in changed for name in _TOKEN_LIMITS):
            kwargs = {k: v for k, v in kwargs.items() if k not in _TOKEN_LIMITS}
        return {**kwargs, **changed}

    # -- what lm-eval asks of a model, and the generator answers

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> Any:
        self._chat = True
        context = self._generator.apply_chat_template(
            chat_history, add_generation_prompt=add_generation_prompt
        )
        self._conversations.remember(context, chat_history, not add_generation_prompt)
        return context

    def chat_template(self, chat_template: bool | str = False) -> Any:
        self._chat = bool(chat_template)
        return self._generator.chat_template(chat_template)

    @property
    def tokenizer_name(self) -> Any:
        return self._generator.tokenizer_name

    @property
    def rank(self) -> int:
        return int(self._generator.rank)

    @property
    def world_size(self) -> int:
        return int(self._generator.world_size)

    @property
    def device(self) -> Any:
        return self._generator.device

    def all_gather(self, tensor: Any) -> Any:
        return self._generator.all_gather(tensor)

    def gather_object(self, obj: Any, dst: int = 0) -> Any:
        return self._generator.gather_object(obj, dst)

    def barrier(self) -> None:
        self._generator.barrier()


_FOR_BOTH = ("batch_size", "max_batch_size", "device")
"""What lm-eval's own options say of the model."""


def _make(name: str, given: Any, of_lm_eval: Mapping[str, Any]) -> Any:
    """An lm-eval model. Raises UserError for arguments of another form."""
    extra = {key: of_lm_eval[key] for key in _FOR_BOTH if key in of_lm_eval}
    trusted = {key: of_lm_eval[key] for key in ("trust_remote_code",) if key in of_lm_eval}
    try:
        model = get_model(str(name))
    except ValueError as error:
        raise UserError(" ".join(str(error).split())) from None
    if given is None or isinstance(given, Mapping):
        return model.create_from_arg_obj({**trusted, **(given or {})}, extra)
    if isinstance(given, str):
        return model.create_from_arg_string(given, {**extra, **trusted})
    raise UserError(f"the arguments of {name} are {given!r}; give a dict, as {{'pretrained': …}}")


def _cached(generator: Any, critic: Any, path: str) -> dict[Role, Any]:
    """The models behind lm-eval's cache of answers, a file each and process."""

    def cached(model: Any, role: str) -> Any:
        return CachingLM(model, f"{path}_{role}_rank{generator.rank}.db")

    first = cached(generator, "generator")
    same = critic is generator
    return {"generator": first, "critic": first if same else cached(critic, "critic")}


def _is_ours(doc: Any) -> bool:
    return isinstance(doc, Mapping) and PROBLEM_SET in doc


@lru_cache(maxsize=32)
def _prompts(source: str, dataset: str) -> Prompts:
    return get_prompts(source, dataset)


def _dict(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UserError(f"{name} is {value!r}; give a dict, as {{'temperature': 0.7}}")
    return dict(value)
