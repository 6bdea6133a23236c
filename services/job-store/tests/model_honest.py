"""Everybody without faults: each attempt answered well, and with time everything ends."""

from datetime import timedelta
from typing import Final

from contracts.deliveries import Send, Show, Shown
from contracts.submissions import TaskCreated
from contracts.values import JobState, PartState
from model_delivery import Part
from model_workers import Asked, Workers
from store_kit import images, polled, sent

LONG: Final = timedelta(minutes=6)  # than every lease and every wait of ours
LIFE: Final = timedelta(hours=1)  # of a job, and of an orphan
ROUNDS: Final = 40  # of these within which everything must have ended
FINAL: Final = {
    JobState.DELIVERED,
    JobState.FAILED,
    JobState.UNDELIVERABLE,
    JobState.EXPIRED,
    JobState.CANCELLED,
}


class Honest(Workers):
    """Answers as workers, KIE and users would who lose nothing and forget nothing."""

    def answer_well(self, asked: Asked) -> None:
        """Answer an open attempt as a worker without faults would."""
        ask = asked.ask
        match asked.kind:
            case "submit":
                if self.begin(asked, ask.attempt.id):
                    task = f"task-{ask.attempt.id}"
                    self.submitted(asked, TaskCreated(task_id=task), ask.attempt.id)
            case "poll":
                self.say(polled(ask, media=images(1), received_at=self.clock.now))
            case "send":
                if self.begin(asked, asked.holders[0] if asked.holders else ask.attempt.id):
                    self.send(asked)
                    self.delivered(asked, asked.end, holder=asked.holders[0])
            case _:
                if asked.kind == "show" and asked.target is None:
                    self.carried(asked, self.post(asked))
                result = self.done(asked)
                if result is not None:
                    self.delivered(asked, result)
        self.look()

    def resolve(self) -> None:
        """What nobody knew becomes known: users return, and messages are found where they were put."""
        for bot, user in self.model.chats_left():
            self.bring_back(bot, user)
        for asked in self.asked:
            desk, action = self.model.desk, getattr(asked.ask, "action", None)
            if isinstance(action, Show) and is_uncertain(desk.parts[action.part_id]):
                asked.target = asked.target or desk.parts[action.part_id].message
                self.delivered(asked, Shown(message_id=asked.target or self.post(asked)))
            elif isinstance(action, Send) and any(
                is_uncertain(desk.parts[one.part_id]) for one in action.parts
            ):
                found = sent(asked.ask, self.post(asked))
                self.messages += len(action.parts)
                self.delivered(asked, found, holder=asked.id)

    def left(self) -> list[str]:
        """Name what has not ended yet: jobs, attempts and work."""
        jobs = [job for job in self.model.jobs.values() if job.delivery.is_wanted]
        running = [f"{job.state} {job.id}" for job in jobs if job.state not in FINAL]
        return running + [str(asked.ask) for asked in self.open_attempts()] + self.model.desk.live()

    def play_out(self) -> None:
        """Let time pass with every attempt answered well, until everything has ended."""
        self.go_on()
        for _ in range(ROUNDS):
            self.resolve()
            self.sweep()
            if not self.left():
                return
            attempts = self.open_attempts()
            for asked in attempts:
                self.answer_well(asked)
            self.clock.now += LONG if attempts else LIFE
        raise AssertionError(f"it never ends: {self.left()}")


def is_uncertain(part: Part) -> bool:
    return part.state is PartState.UNCERTAIN
