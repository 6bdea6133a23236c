"""Suno MIDI: the notes come inline, no link. One page puts the task id on top, one in `data`."""

from kie.dialects.base import FLAGS, Dialect, Facts, Sign, Whole, Word
from kie.dialects.suno_music import FAILURES

NAME = "melody.mid"

DIALECT = Dialect(
    families=("suno_midi",),
    callback=Facts(
        media=(Whole("data.instruments", "file", NAME),),
        word_at="data.state",
        words={"complete": Word.DONE},
    ),
    poll=Facts(
        media=(Whole("data.midiData.instruments", "file", NAME),),
        word_at="data.successFlag",
        words=FLAGS,
        word_required=True,
    ),
    callback_signs=(Sign(path="data.instruments"),),
    poll_signs=(Sign(path="data.midiData"),),
    failures=FAILURES,
)
