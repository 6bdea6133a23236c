"""Suno MIDI: the notes come inline, no link. One page puts the task id on top, one in `data`."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Whole, Word
from kie.dialects.suno_music import FAILURES
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "suno_midi" if has(root, "data.instruments") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "suno_midi" if has(root, "data.midiData") else None


DIALECT = Dialect(
    families=("suno_midi",),
    callback=Facts(
        media=(Whole("data.instruments", "file"),),
        word_at="data.state",
        words={"complete": Word.DONE},
    ),
    poll=Facts(
        media=(Whole("data.midiData.instruments", "file"),),
        word_at="data.successFlag",
        words=FLAGS,
        word_required=True,
    ),
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
    failures=FAILURES,
)
