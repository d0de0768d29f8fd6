"""What SandboxFusion has and this server has not."""

from __future__ import annotations

from ctrl_harness.errors import UserError


class NotSupported(UserError):
    """SandboxFusion would do this; this server does not. Answered as 501."""
