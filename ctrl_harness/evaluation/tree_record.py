"""What a sample's metadata keeps of a tree of revisions, node by node, and the chains in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ctrl_harness.critique.messages import Branch
from ctrl_harness.critique.tree import Tree, leaves
from ctrl_harness.evaluation.record import COMPLETE, ChainRecord, CritiqueRecord

KEY = "ctrl_harness:tree"


class NodeRecord(BaseModel):
    """A node as logged. calls: the answers of models that it took, by which a sample's events are
    told apart."""

    branch: list[int]
    critique: CritiqueRecord | None
    completion: str | None
    calls: int


class TreeRecord(BaseModel):
    """A tree as far as it came; nodes in the order in which they grew. ended: as in ChainRecord."""

    branches: list[int]
    nodes: list[NodeRecord]
    ended: str | None = None

    @classmethod
    def of(
        cls,
        tree: Tree | None,
        branches: tuple[int, ...],
        ended: str | None,
        calls: Mapping[Branch, int],
    ) -> TreeRecord:
        """tree: None where not even a draft came. calls: made so far, by branch."""
        nodes = [
            NodeRecord(
                branch=list(branch),
                critique=None if node.critique is None else CritiqueRecord.of(node.critique),
                completion=None if node.program is None else node.program.completion,
                calls=calls.get(branch, 0),
            )
            for branch, node in ({} if tree is None else tree.nodes).items()
        ]
        return cls(branches=list(branches), nodes=nodes, ended=ended)

    def chains(self) -> list[ChainRecord]:
        """One for each leaf that the whole tree has. Where a branch ended early, all leaves beyond
        share its chain, so that each chain weighs the same."""
        return [self._chain(leaf) for leaf in leaves(tuple(self.branches))]

    def _chain(self, leaf: Branch) -> ChainRecord:
        known = {tuple(node.branch): node for node in self.nodes}
        on_the_way = [known[leaf[:n]] for n in range(len(leaf) + 1) if leaf[:n] in known]
        completions = [n.completion for n in on_the_way if n.completion is not None]
        turns = len(self.branches)
        # a critique without a revision ended its branch, unless it was the last thing that came
        stopped = bool(on_the_way) and on_the_way[-1].completion is None
        cut = len(completions) <= turns and not (stopped and on_the_way[-1] is not self.nodes[-1])
        return ChainRecord(
            turns=turns,
            completions=completions,
            critiques=[n.critique for n in on_the_way if n.critique is not None],
            ended=self.ended if cut or self.ended is None else COMPLETE,
        )

    def keep(self, metadata: dict[str, Any]) -> None:
        metadata[KEY] = self.model_dump()


def read_records(metadata: Mapping[str, Any]) -> list[ChainRecord] | None:
    """The sample's chains, one or a tree's; None where the solver never began."""
    if KEY in metadata:
        return TreeRecord.model_validate(metadata[KEY]).chains()
    record = ChainRecord.read(metadata)
    return None if record is None else [record]
