"""An existing bot gains delivery that happens once, by ten changed lines at most."""

import difflib
import re

import pytest
from bot_process import EXAMPLES, bot_process, told
from chat_user import ChatUser

from deployment import TOKEN, Deployment
from testkit.kie import Plan
from testkit.telegram import Kind, Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
HERE = EXAMPLES / "existing-bot"
LINES = 10


def lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def user(deployment: Deployment) -> ChatUser:
    return ChatUser(deployment.telegram, TOKEN, 601)


def result(deployment: Deployment) -> str:
    task, *_later = deployment.kie.tasks()
    (url,) = task.media_urls
    return url


def test_at_most_ten_lines_change() -> None:
    """Counted strictly: a replaced line is one removed and one added."""
    diff = difflib.ndiff(lines("before.py"), lines("after.py"))

    changed = [line for line in diff if line.startswith(("+ ", "- "))]

    assert 0 < len(changed) <= LINES, changed


def test_the_page_shows_the_lines_that_are_there() -> None:
    (sample,) = re.findall(r"```python\n(.*?)```", "\n".join(lines("README.md")), re.DOTALL)

    there = [line.strip() for line in lines("after.py")]
    assert all(line in there for line in sample.splitlines())


async def test_before_a_lost_reply_makes_a_second_picture(deployment: Deployment) -> None:
    anna = user(deployment)
    deployment.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, "sendphoto")

    async with bot_process("before.py", directory=HERE, env=told(deployment)):
        anna.say("a cat")
        await anna.has_pictures(2)

    assert deployment.telegram.ever_shown_count(result(deployment)) == 2


async def test_before_a_killed_bot_loses_the_picture(deployment: Deployment) -> None:
    anna = user(deployment)
    deployment.kie.plan_next(Plan(held=True))

    await kill_while_it_waits(deployment, anna, "before.py")
    async with bot_process("before.py", directory=HERE, env=told(deployment)):
        await answers(deployment, anna)

    assert deployment.telegram.ever_shown_count(result(deployment)) == 0


@pytest.mark.parametrize("method", ["sendmessage", "editmessagemedia"])
async def test_after_a_lost_reply_makes_none(deployment: Deployment, method: str) -> None:
    anna = user(deployment)
    deployment.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, method)

    async with bot_process("after.py", directory=HERE, env=told(deployment)):
        anna.say("a cat")
        picture = await anna.is_shown(Kind.PHOTO)
        (job,) = await deployment.sendonce.find_by_task_id(deployment.kie.tasks()[0].task_id)
        await deployment.until_final(job)

    assert deployment.telegram.faults.fired[Mode.COMMIT_THEN_CLOSE] == 1
    assert picture.url == result(deployment)
    assert deployment.telegram.ever_shown_count(result(deployment)) == 1


async def test_after_a_killed_bot_loses_nothing(deployment: Deployment) -> None:
    anna = user(deployment)
    deployment.kie.plan_next(Plan(held=True))

    await kill_while_it_waits(deployment, anna, "after.py")

    await anna.is_shown(Kind.PHOTO)
    assert deployment.telegram.ever_shown_count(result(deployment)) == 1


async def test_after_the_bots_own_billing_still_gives_the_money_back(
    deployment: Deployment,
) -> None:
    """100 RUB buy five pictures: the failed one costs nothing, the sixth good one is refused."""
    anna = user(deployment)

    async with bot_process("after.py", directory=HERE, env=told(deployment)):
        anna.say("plan:fail a cat")
        await anna.reads("was refused by the content rules")
        for number in range(1, 6):
            anna.say(f"cat number {number}")
            await anna.has_pictures(number)
        anna.say("one cat too many")
        await anna.reads("your balance is lower")


async def kill_while_it_waits(deployment: Deployment, anna: ChatUser, name: str) -> None:
    """Kill the bot between its createTask and the end of the generation, which comes then."""

    async def waits() -> bool:
        return any(task.polls for task in deployment.kie.tasks())

    async with bot_process(name, directory=HERE, env=told(deployment)) as bot:
        anna.say("a cat")
        await deployment.eventually(waits, within=30)
        bot.kill()
        await bot.wait()
    deployment.kie.finish(deployment.kie.tasks()[0].task_id)
    await deployment.kie.until(lambda kie: kie.tasks()[0].ended_at is not None)


async def answers(deployment: Deployment, anna: ChatUser) -> None:
    """Wait until the restarted bot works: it shows the next picture."""
    anna.say("another cat")
    await anna.is_shown(Kind.PHOTO)
