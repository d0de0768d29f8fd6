"""The one exception tree. Every message says what was wrong and what to do next.

Four kinds of trouble are kept apart:

* what is wrong with a *program* is data, a :class:`~ctrl_harness.verification.verdict.Verdict`;
* what is wrong with a *user's input* is a :class:`UserError`, one line without a traceback;
* what is wrong with the *machinery* is a :class:`JudgeError`, which is never turned into a score;
* what is wrong with *somebody's critic* is a :class:`CriticError`, which is never scored either.
"""

from __future__ import annotations


class CtrlHarnessError(Exception):
    """Base of every error this project raises on purpose."""


class UserError(CtrlHarnessError, ValueError):
    """The input cannot be used; the message says why and what to do, in one line."""


class UnusableRow(UserError):
    """A row of a data set that cannot become a problem, with its id and the reason.

    Loaders collect these and count them; they are never dropped in silence.
    """

    def __init__(self, row_id: str, reason: str) -> None:
        super().__init__(f"{row_id}: {reason}")
        self.row_id = row_id
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnusableRow], tuple[str, str]]:
        return (type(self), (self.row_id, self.reason))


class JudgeError(CtrlHarnessError, RuntimeError):
    """The machinery failed, so nothing is known of the program. Never a score."""


class PreludeError(JudgeError):
    """The code that runs before the program failed by itself, or the tests import what is not
    there: whoever gave them has to mend them.
    """


class ContextOverflow(JudgeError):
    """A request is longer than the context of the model it was sent to, so there is no answer.

    Of a draft this says nothing of any program. Of a revision, whose request holds the critique,
    the loop makes a critique that nobody could read (`Critique.malformed`).
    """


class CriticError(CtrlHarnessError, RuntimeError):
    """A critic failed, so there is no critique of this draft. Never a judgement, never a score."""


def first_line(error: BaseException) -> str:
    """What somebody else's error says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
