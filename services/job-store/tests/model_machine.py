"""The real store beside its model: everything that may happen in any order, compared after each step."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.deliveries import DeliveryResult
from contracts.outcomes import NotSent, Refused
from contracts.submissions import TaskCreated
from model_delivery import LOST
from model_rules import Kie
from model_speech import EDITS, not_delivered, not_submitted, spans
from model_workers import Asked


def some(*acts: str) -> st.SearchStrategy[list[str]]:
    """What one worker does in a row."""
    return st.lists(st.sampled_from(acts), min_size=1, max_size=3)


HAPPENINGS: Final = [
    *["a_deliverer_acts"] * 6,
    *["a_submitter_acts"] * 4,
    *["kie_calls_back"] * 3,
    *["the_bot_asks"] * 2,
    *["the_bus_acts"] * 2,
    *["time_passes"] * 2,
]


class StoreMachine(Kie, RuleBasedStateMachine):
    """Bots, KIE, submitters, deliverers, the bus and the clocks, late and doubled."""

    def __init__(self, *given: Any) -> None:
        RuleBasedStateMachine.__init__(self)
        Kie.__init__(self, *given)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Draw what, weighted by hand: of rules apart some would be left out of most examples."""
        getattr(self, data.draw(st.sampled_from(HAPPENINGS), label="what"))(data)

    # -- time and the bus ------------------------------------------------------------------------

    def time_passes(self, data: st.DataObject) -> None:
        self.clock.now += timedelta(seconds=data.draw(spans, label="seconds"))
        if data.draw(st.booleans(), label="clocks look"):
            self.sweep()

    def the_bus_acts(self, data: st.DataObject) -> None:
        """What waited comes in batches, and in any order: there are many handlers."""
        match data.draw(st.sampled_from(["repeats", "repeats", "stalls", "goes on"]), label="it"):
            case "repeats" if self.said:
                self.say(data.draw(st.sampled_from(self.said[::-1])))
            case "stalls":
                self.is_stalled = True
            case _:
                self.waiting = data.draw(st.permutations(self.waiting))
                self.go_on()

    # -- workers ---------------------------------------------------------------------------------

    def a_submitter_acts(self, data: st.DataObject) -> None:
        for asked in self.pick(data, "submit"):
            acts = some("fails", "begins", "makes the task", "does well")
            for did in data.draw(acts, label="it"):
                self._act_on_submission(data, asked, did)

    def _act_on_submission(self, data: st.DataObject, asked: Asked, did: str) -> None:
        match did:
            case "begins":
                self.begin(asked, self.a_holder(data, asked))
            case "fails":
                result = data.draw(not_submitted)
                self.submitted(asked, result, self.a_holder(data, asked))
            case "makes the task":
                task = self.a_task(data, self.model.jobs[asked.ask.job_id])
                self.submitted(asked, TaskCreated(task_id=task), uuid4())
            case _:
                self.answer_well(asked)

    def a_deliverer_acts(self, data: st.DataObject) -> None:
        for asked in self.pick(data, *EDITS, "send"):
            acts = some("fails", "begins", "is done", "is silent", "does well")
            for did in data.draw(acts, label="it"):
                if did == "does well":
                    self.answer_well(asked)
                elif asked.kind == "send":
                    self._act_on_send(data, asked, did)
                else:
                    self._act_on_edit(data, asked, did)

    def _act_on_edit(self, data: st.DataObject, asked: Asked, did: str) -> None:
        match did:
            case "begins":
                self._carry(asked, is_repeated=data.draw(st.booleans()))
            case "is done":
                result = self.done(asked)
                if result is not None:
                    self.delivered(asked, result)
            case "fails":
                self._fail(asked, data.draw(not_delivered), maybe=data.draw(st.booleans()))

    def _carry(self, asked: Asked, *, is_repeated: bool) -> None:
        action = asked.ask.action
        if action.kind == "show" and action.carrier.kind == "fresh":
            again = is_repeated and asked.posted
            self.carried(asked, asked.posted[-1] if again else self.post(asked))

    def _fail(self, asked: Asked, result: DeliveryResult, *, maybe: bool) -> None:
        is_lost = isinstance(result, Refused) and result.code in LOST
        if asked.kind != "show":
            self.delivered(asked, result)
        elif asked.target is not None or not is_lost:
            carrier = asked.target or next(reversed(asked.posted), None)
            maybe = maybe and asked.target is not None and not isinstance(result, NotSent)
            self.delivered(asked, result, carrier_id=carrier, edit_maybe_applied=maybe)

    def _act_on_send(self, data: st.DataObject, asked: Asked, did: str) -> None:
        """The holder tells the truth of its one call, or nothing; others know only of themselves."""
        holder = self.a_holder(data, asked)
        match did:
            case "begins":
                self.begin(asked, holder)
            case "fails":
                result = data.draw(not_delivered)
                if holder in asked.holders:
                    asked.end = result = asked.end or result
                self.delivered(asked, result, holder=holder)
            case _ if asked.holders:
                self.send(asked)
                if did == "is done":
                    self.delivered(asked, asked.end, holder=asked.holders[0])

    def a_holder(self, data: st.DataObject, asked: Asked) -> UUID:
        return data.draw(st.sampled_from([*asked.holders, uuid4()]))

    # -- laws ------------------------------------------------------------------------------------

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        self.look()
        promised, found = self.model.picture(), self.runner.run(self.store.picture())
        differ = {
            f"{name} {key}": (rows.get(key), found[name].get(key))
            for name, rows in promised.items()
            for key in rows.keys() | found[name].keys()
            if rows.get(key) != found[name].get(key)
        }
        assert not differ, f"promised and found: {differ}"
        self.is_compared = True

    @invariant()
    def the_laws_hold(self) -> None:
        broken = self.runner.run(self.store.broken_laws())
        assert not broken, f"laws of the doctor: {broken}"

    def teardown(self) -> None:
        """Let everybody answer: every job ends, and the doctor finds nothing."""
        if not self.is_compared:
            return  # it has failed already
        self.play_out()
        self.the_store_is_as_the_model_says()
        doubled = {"shown_twice"} if self.model.desk.is_doubled() else set()
        self.same(self.runner.run(self.store.doctor()), doubled)
