"""The real store beside its model: everything that may happen in any order, compared after each step."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


class StoreMachine(Kie, RuleBasedStateMachine):
    """Bots, KIE, submitters, deliverers, the bus and the clocks, late and doubled."""

    def __init__(self, *given: Any) -> None:
        RuleBasedStateMachine.__init__(self)
        Kie.__init__(self, *given)

    # -- time and the bus ------------------------------------------------------------------------

    @rule(seconds=spans, clocks_look=st.booleans())
    def time_passes(self, seconds: float, *, clocks_look: bool) -> None:
        self.clock.now += timedelta(seconds=seconds)
        if clocks_look:
            self.sweep()

    @rule(data=st.data(), does=st.sampled_from(["repeat", "repeat", "stall", "go on"]))
    @precondition(lambda self: self.said)
    def the_bus(self, data: st.DataObject, does: str) -> None:
        """What waited comes in batches, and in any order: there are many handlers."""
        match does:
            case "repeat":
                self.say(data.draw(st.sampled_from(self.said[::-1])))
            case "stall":
                self.is_stalled = True
            case _:
                self.waiting = data.draw(st.permutations(self.waiting))
                self.go_on()

    # -- workers ---------------------------------------------------------------------------------

    @rule(data=st.data())
    @precondition(lambda self: not self.is_stalled)
    def somebody_answers_well(self, data: st.DataObject) -> None:
        for asked in self.pick(data):
            self.answer_well(asked)

    @rule(data=st.data(), acts=some("fails", "makes the task", "begins"))
    @precondition(lambda self: self.has("submit"))
    def a_submitter_acts(self, data: st.DataObject, acts: list[str]) -> None:
        for asked, did in itertools.product(self.pick(data, "submit"), acts):
            match did:
                case "begins":
                    self.begin(asked, self.a_holder(data, asked))
                case "makes the task":
                    task = self.a_task(data, self.model.jobs[asked.ask.job_id])
                    self.submitted(asked, TaskCreated(task_id=task), uuid4())
                case _:
                    self.submitted(asked, data.draw(not_submitted), self.a_holder(data, asked))

    @rule(data=st.data(), acts=some("fails", "begins", "is done", "is silent"))
    @precondition(lambda self: self.has("show") or self.has("send"))
    def a_deliverer_acts(self, data: st.DataObject, acts: list[str]) -> None:
        for asked, did in itertools.product(self.pick(data, *EDITS, "send"), acts):
            if asked.kind == "send":
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
