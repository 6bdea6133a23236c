"""Suno conversions of one track into one file: WAV and MP4. The poll's flag is a word."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Links, Word
from kie.dialects.suno_music import FAILURES
from kie.paths import has

FLAG_WORDS = {
    "PENDING": Word.RUNNING,
    "SUCCESS": Word.DONE,
    "CREATE_TASK_FAILED": Word.FAILED,
    "GENERATE_WAV_FAILED": Word.FAILED,
    "GENERATE_MP4_FAILED": Word.FAILED,
    "GENERATE_AUDIO_FAILED": Word.FAILED,
    "CALLBACK_EXCEPTION": Word.UNDELIVERED,
}


def _recognise_wav(root: dict[str, Json]) -> str | None:
    return "suno_wav" if has(root, "data.audioWavUrl") else None


def _recognise_wav_poll(root: dict[str, Json]) -> str | None:
    return "suno_wav" if has(root, "data.response.audioWavUrl") else None


def _recognise_mp4(root: dict[str, Json]) -> str | None:
    # Runway and Aleph send the same link, but always with a picture or an id beside it.
    shared = has(root, "data.image_url") or has(root, "data.video_id")
    return "suno_mp4" if has(root, "data.video_url") and not shared else None


def _recognise_mp4_poll(root: dict[str, Json]) -> str | None:
    return "suno_mp4" if has(root, "data.musicIndex") else None


WAV = Dialect(
    families=("suno_wav",),
    callback=Facts(media=(Links("data.audioWavUrl", "audio"),)),
    poll=Facts(
        media=(Links("data.response.audioWavUrl", "audio"),),
        word_at="data.successFlag",
        words=FLAG_WORDS,
        words_have_remarks=True,
        word_required=True,
    ),
    recognise_callback=_recognise_wav,
    recognise_poll=_recognise_wav_poll,
    failures=FAILURES,
)

MP4 = Dialect(
    families=("suno_mp4",),
    callback=Facts(media=(Links("data.video_url", "video"),)),
    poll=Facts(
        media=(Links("data.response.videoUrl", "video"),),
        word_at="data.successFlag",
        words=FLAG_WORDS,
        words_have_remarks=True,
        word_required=True,
    ),
    recognise_callback=_recognise_mp4,
    recognise_poll=_recognise_mp4_poll,
    failures=FAILURES,
)
