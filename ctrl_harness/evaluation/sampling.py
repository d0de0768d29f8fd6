"""What each call is asked with: the protocol's settings before a role's own before the command's.

`--temperature` and the like hold for every call alike, and `--model-role 'critic={…}'` for every
call of a role; a protocol that samples drafts and decodes revisions greedily would be lost under
either. So the protocol goes first, what it overrules is warned of once and recorded, and `-T
temperature=…` changes the protocol itself (`null` leaves a setting to role and command).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspect_ai.model import CachePolicy, GenerateConfig, Model, get_model
from inspect_ai.model._generate_config import active_generate_config

from ctrl_harness.critique.messages import Call
from ctrl_harness.critique.protocol import Sampling, Stage, stage_of
from ctrl_harness.critique.seeds import call_seed, told_branch

logger = logging.getLogger(__name__)

PENALTY = "repetition_penalty"
OVERRULED = "ctrl_harness:overruled"
LEFT_OUT = "ctrl_harness:left_out"
"""Where a sample's metadata keeps what CallConfigs found."""
_FIELDS = ("temperature", "top_p", "max_tokens")
_NOTHING = GenerateConfig()
_AS_ASKED = Sampling()

# To most of these Inspect sends no extra_body. Of the last three, OpenAI's own API answers 400 to a
# field it does not know, ollama and llama.cpp's server pass over this one in silence.
_WITHOUT_PENALTY = frozenset({
    "anthropic", "azureai", "bedrock", "google", "grok", "groq", "hf", "mistral", "nnterp",
    "transformer_lens", "openai", "ollama", "llama-cpp-python",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one kind of call asks of one model, before the call's own seed and place in the cache.

    overruled: what role or command asked for and does not get. leaves_penalty: the protocol asks
    for one that the model cannot take. made_for: what it was made of, kept alive, since plans are
    found by identity.
    """

    config: GenerateConfig
    overruled: Mapping[str, Any]
    leaves_penalty: bool
    made_for: tuple[object, ...]


class Notices:
    """What one eval has found out: warnings, each given once, and models without the penalty.

    plans: settled for one sample and good for all, since merging configurations costs more than the
    rest of a call.
    """

    def __init__(self) -> None:
        self.refusing: set[str] = set()
        self.plans: dict[tuple[object, ...], _Plan] = {}
        self._given: set[str] = set()

    def warn(self, text: str) -> None:
        if text not in self._given:
            self._given.add(text)
            logger.warning("%s", text)


class CallConfigs:
    """The configuration of each call of one sample.

    overruled: what role or command asked for and did not get, by kind of call. left_out: settings
    of the protocol that a model cannot take, by the model's name.
    """

    def __init__(
        self, sample_id: str, epoch: int, sampling: Mapping[Stage, Sampling], notices: Notices
    ) -> None:
        self.overruled: dict[str, dict[str, Any]] = {}
        self.left_out: dict[str, list[str]] = {}
        self._sample_id = sample_id
        self._epoch = epoch
        self._sampling = sampling
        self._notices = notices
        self._known: dict[tuple[str, Stage], GenerateConfig] = {}
        self._main: Model | None = None

    def of(self, model: Model, call: Call) -> GenerateConfig:
        """Inspect merges it over the model's own; the seed and the cache's scope are the call's."""
        stage = stage_of(call)
        key = (call.role, stage)
        if key not in self._known:
            self._known[key] = self._settled(model, stage)
        config = self._known[key]
        if config.seed is None and not config.cache:
            return config
        config = config.model_copy()
        if config.seed is not None:
            config.seed = call_seed(config.seed, self._sample_id, self._epoch, call)
        if config.cache:
            config.cache = self._scoped(config.cache, call)
        return config

    def keep(self, metadata: dict[str, Any]) -> None:
        """Records in the sample what was not asked as somebody said; nothing where all was."""
        for key, value in ((OVERRULED, self.overruled), (LEFT_OUT, self.left_out)):
            if value:
                metadata[key] = value

    def refuse_penalty(self, model: Model) -> None:
        """The model's service refused the penalty: no call of this eval sends it one again."""
        self._notices.refusing.add(str(model))
        self._notices.plans.clear()
        self._known.clear()

    def _settled(self, model: Model, stage: Stage) -> GenerateConfig:
        active = active_generate_config()
        if self._main is None:
            self._main = get_model()
        main = model is self._main
        sampling = self._sampling.get(stage, _AS_ASKED)
        # a role's model may be a copy for each sample, of the same service and configuration
        key = (id(active), id(model.config), id(model.api), main, stage, sampling)
        plan = self._notices.plans.get(key)
        if plan is None:
            plan = self._plan(model, stage, sampling, active, main=main)
            self._notices.plans[key] = plan
        if plan.overruled:
            self.overruled[stage] = dict(plan.overruled)
        if plan.leaves_penalty:
            self.left_out[str(model)] = [PENALTY]
        return plan.config

    def _plan(
        self, model: Model, stage: Stage, sampling: Sampling, active: GenerateConfig, *, main: bool
    ) -> _Plan:
        made_for = (active, model.config, model.api)
        if main and sampling == _AS_ASKED and not _has_own(active) and not _has_own(model.config):
            return _Plan(_NOTHING, {}, False, made_for)  # Inspect does it all
        # Inspect applies the command's settings to the main model alone; critiques by a second
        # model would then be sampled otherwise than self-critiques of the same command
        asked = model.config.merge(active) if main else active.merge(model.config)
        config = asked.model_copy()
        overruled: dict[str, Any] = {}
        for field in _FIELDS:
            value = getattr(sampling, field)
            if value is not None:
                overruled |= self._overruling(stage, field, getattr(asked, field), value)
                setattr(config, field, value)
        leaves_penalty = False
        if sampling.repetition_penalty is not None:
            extra = dict(asked.extra_body or {})
            before = extra.get(PENALTY)
            overruled |= self._overruling(stage, PENALTY, before, sampling.repetition_penalty)
            leaves_penalty = not self._takes_penalty(model)
            if not leaves_penalty:
                extra[PENALTY] = sampling.repetition_penalty
            config.extra_body = extra or None
        return _Plan(config, overruled, leaves_penalty, made_for)

    def _overruling(self, stage: Stage, field: str, asked: Any, value: Any) -> dict[str, Any]:
        """What is overruled, if anything is; warns of it."""
        if asked is None or asked == value:
            return {}
        option = "revision_temperature" if (stage, field) == ("revision", "temperature") else field
        self._notices.warn(
            f"the protocol asks each {stage} with {field} {value}, not {asked} as the command or"
            f" the role says; -T {option}={asked} changes the protocol, -T {option}=null leaves it"
            " to them"
        )
        return {field: asked}

    def _takes_penalty(self, model: Model) -> bool:
        if str(model) in self._notices.refusing:
            reason = "its service refuses it"
        elif _provider(model) in _WITHOUT_PENALTY:
            reason = f"{_provider(model)} takes none"
        else:
            return True
        self._notices.warn(f"{model} is asked without the protocol's {PENALTY}: {reason}")
        return False

    def _scoped(self, cache: bool | CachePolicy, call: Call) -> CachePolicy:
        """Inspect's key knows epoch, messages and settings: neither which sample, turn or vote it
        is, so that repeated calls would get one answer."""
        policy = cache if isinstance(cache, CachePolicy) else CachePolicy()
        parts = (self._sample_id, call.role, call.turn, call.vote, *told_branch(call))
        place = "/".join(map(str, parts))
        return policy.model_copy(update={"scopes": {**policy.scopes, "ctrl_harness": place}})


def _has_own(config: GenerateConfig) -> bool:
    """Whether each call gets a seed or a place in the cache of its own."""
    return config.seed is not None or bool(config.cache)


def _provider(model: Model) -> str:
    return str(model).partition("/")[0]
