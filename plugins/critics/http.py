"""`http:URL`: a service as critic, one POST of JSON a critique. docs/critics.md has the schema.

What is wrong with an answer is a CriticError that says what, and marks the sample. Only what a
service may well do better the next time is asked again: it was not reached, it hung up, or it said
429, 502, 503 or 504. CTRL_HARNESS_CRITIC_TOKEN goes along as a Bearer token.
"""

from __future__ import annotations

from ctrl_harness.critique.critic import Critic, CriticContext, CriticFactory, takes_argument


@takes_argument("URL")
def http(url: str) -> CriticFactory:
    """A service that takes a problem and a draft and answers with a critique, in JSON.

    Raises UserError for what is no http(s) URL, and for one that holds a password, which logs
    would keep.
    """
    # here, since a client for HTTP takes a tenth of a second of every command that knows critics
    from ctrl_harness.plugins.critics.http_service import HttpCritic, Service

    service = Service(url)

    def make(context: CriticContext) -> Critic:  # noqa: ARG001
        return HttpCritic(service)

    return make
