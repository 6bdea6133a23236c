"""The methods a bot that polls begins with."""

from testkit.telegram.sandbox import Call, Sandbox
from testkit.telegram.wire import Json


async def get_updates(sandbox: Sandbox, call: Call) -> Json:
    """getUpdates: what users did, waited for as long as asked."""
    return await sandbox.updates.read(call.bot, call.params)


async def accept(_sandbox: Sandbox, _call: Call) -> Json:
    """Say yes to what changes nothing a test can see: deleteWebhook, setMyCommands and the like."""
    return True


METHODS = {
    "getupdates": get_updates,
    "deletewebhook": accept,
    "setmycommands": accept,
    "setchatmenubutton": accept,
}
