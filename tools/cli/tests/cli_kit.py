"""The command, asked of a real job store that runs in the test's own loop."""

import asyncio

from typer.testing import CliRunner, Result

from sendonce_cli.main import app


class Asked:
    """The command in a thread of its own, because the job store runs in this one."""

    def __init__(self, runner: CliRunner, *group: str) -> None:
        self._runner = runner
        self._group = group

    async def result(self, *arguments: str) -> Result:
        return await asyncio.to_thread(self._runner.invoke, app, [*self._group, *arguments])

    async def __call__(self, *arguments: str) -> str:
        result = await self.result(*arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout
