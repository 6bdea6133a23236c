"""From code and state word to a state. Pure: what a message says about its task, and why."""

from dataclasses import dataclass

from kie import envelope
from kie.body import Json, storable, whole_number
from kie.dialects.base import Facts, Word
from kie.paths import at, has
from kie.results import Found
from kie.values import Anomaly, State

_LONGEST_WORD = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state with the word that made it, or why none could be made."""

    state: State
    reason: str
    word: str | None = None
    anomalies: tuple[Anomaly, ...] = ()
    place: str = "code"


@dataclass(frozen=True, slots=True)
class _Said:
    """A state word, where it stood, and its meaning if we know one."""

    place: str
    word: str
    meaning: Word | None


def on_callback(facts: Facts, root: dict[str, Json], found: Found) -> Verdict:
    """Judge a callback: its code speaks about the task, its word too."""
    outer = envelope.of(root)
    said = _said(facts, root)
    if isinstance(said, Verdict):
        return said
    state = None if said is None else _state(said, root, found)
    word = said.word if said else None
    if outer.code in envelope.FAILURE_CODES:
        if state in (None, State.FAILED) or facts.code_outranks_word:
            return Verdict(State.FAILED, f"code {outer.code}", word)
        return _contradiction(outer, said)
    if said is not None and state is State.FAILED:
        return _by_word(State.FAILED, said)
    if not outer.is_ok:
        return Verdict(State.UNKNOWN, _code_said(outer), word, (Anomaly.UNKNOWN_CODE,))
    if at(root, "data") is None:
        odd = (Anomaly.SUCCESS_WITHOUT_RESULT,)
        return Verdict(State.UNKNOWN, "data is null", word, odd, "data")
    return _without_error(facts, said, state, found)


def on_poll(facts: Facts, root: dict[str, Json], found: Found) -> Verdict:
    """Judge a polling answer: its code speaks about the poll, its word about the task."""
    outer = envelope.of(root)
    said = _said(facts, root)
    if isinstance(said, Verdict):
        return said
    state = None if said is None else _state(said, root, found)
    if outer.is_ok:
        return _unrecorded(facts, root) or _without_error(facts, said, state, found)
    if said is not None and state is State.FAILED:
        return _by_word(State.FAILED, said)
    if said is not None and state is State.SUCCEEDED:
        return _contradiction(outer, said)
    if outer.code in facts.pending_codes:
        return Verdict(State.PROGRESS, f"code {outer.code} means not yet here")
    judged = None if outer.code is None else envelope.poll_error(root, outer.code)
    if judged is None:
        return Verdict(State.UNKNOWN, _code_said(outer), anomalies=(Anomaly.UNKNOWN_CODE,))
    return Verdict(judged, f"code {outer.code}")


def _unrecorded(facts: Facts, root: dict[str, Json]) -> Verdict | None:
    """Say that a good answer holds no record of this task, or none of this operation."""
    if has(root, "data") and at(root, "data") is None:
        return Verdict(State.NOT_FOUND, "data is null", place="data")
    if facts.own_marks and not any(has(root, mark) for mark in facts.own_marks):
        odd = (Anomaly.OTHER_OPERATION,)
        return Verdict(State.UNKNOWN, "the record of another operation", None, odd, "data")
    return None


def _without_error(facts: Facts, said: _Said | None, state: State | None, found: Found) -> Verdict:
    if said is None:
        if facts.word_required:
            return Verdict(State.UNKNOWN, "no state word", anomalies=(Anomaly.UNKNOWN_STATE,))
        if facts.result_required and not found.media:
            odd = (Anomaly.SUCCESS_WITHOUT_RESULT,)
            return Verdict(State.UNKNOWN, "no result", anomalies=odd)
        return Verdict(State.SUCCEEDED, "code says done")
    return _by_word(state or State.UNKNOWN, said)


def _by_word(state: State, said: _Said) -> Verdict:
    odd = (Anomaly.UNKNOWN_STATE,) if state is State.UNKNOWN else ()
    return Verdict(state, f"{said.place}={said.word}", said.word, odd, said.place)


def _state(said: _Said, root: dict[str, Json], found: Found) -> State:
    match said.meaning:
        case Word.RUNNING:
            return State.PROGRESS
        case Word.DONE:
            return State.SUCCEEDED
        case Word.FAILED:
            return State.FAILED
        case Word.UNDELIVERED:
            there = found.media and found.complete
            return State.SUCCEEDED if there else State.PROGRESS
        case Word.RUNNING_OR_FAILED:
            return State.FAILED if envelope.has_own_error(root) else State.PROGRESS
        case None:
            return State.UNKNOWN


def _said(facts: Facts, root: dict[str, Json]) -> _Said | Verdict | None:
    """Return the state word; a verdict when two places disagree."""
    places = [place for place in (facts.word_at, facts.second_word_at) if place]
    heard = [said for place in places if (said := _heard(facts, root, place)) is not None]
    if len({said.meaning for said in heard}) > 1:
        reason = " but ".join(f"{said.place}={said.word}" for said in heard)
        odd = (Anomaly.UNKNOWN_STATE,)
        return Verdict(State.UNKNOWN, reason, heard[0].word, odd, heard[0].place)
    return heard[0] if heard else None


def _heard(facts: Facts, root: dict[str, Json], place: str) -> _Said | None:
    match at(root, place):
        case None | "":
            return None
        case str(text):
            word = storable(text.strip()[:_LONGEST_WORD])
        case value if (flag := whole_number(value)) is not None:
            word = str(flag)
        case other:
            return _Said(place, f"<{type(other).__name__}>", None)
    meaning = _meaning(facts, word)
    if meaning is None and facts.words_have_remarks:
        meaning = _meaning(facts, word.partition("-")[0].strip())
    return _Said(place, word, meaning)


def _meaning(facts: Facts, word: str) -> Word | None:
    exact = facts.words.get(word)
    if exact is not None:
        return exact
    # Pages differ in case; no family tells two words apart by it.
    folded = word.casefold()
    return next((mean for known, mean in facts.words.items() if known.casefold() == folded), None)


def _contradiction(outer: envelope.Envelope, said: _Said | None) -> Verdict:
    word = said.word if said else None
    reason = f"{_code_said(outer)} but word {word}"
    return Verdict(State.UNKNOWN, reason, word, (Anomaly.CODE_CONTRADICTS_STATE,))


def _code_said(outer: envelope.Envelope) -> str:
    return "no code" if outer.shown_code is None else f"code {outer.shown_code}"
