"""What the kinds of all vendors do alike."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.vendors.account import Account, VendorRefused
from hub.flow.bridge_kinds import Finding
from hub.flow.calling import CallFailed


async def examined(account: Account) -> Sequence[Finding]:
    """Examine an account; what is not answered is a finding, too."""
    try:
        return await account.examine()
    except CallFailed as error:
        return (Finding(name="server", state="failed", detail=f"Not reached: {error.detail}"),)
    except VendorRefused as error:
        return (Finding(name="account", state="failed", detail=f"{error}."),)
