"""Suno conversions of one track into one file: WAV and MP4. The poll's flag is a word."""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word
from kie.dialects.suno_music import FAILURES

FLAG_WORDS = {
    "PENDING": Word.RUNNING,
    "SUCCESS": Word.DONE,
    "CREATE_TASK_FAILED": Word.FAILED,
    "GENERATE_WAV_FAILED": Word.FAILED,
    "GENERATE_MP4_FAILED": Word.FAILED,
    "GENERATE_AUDIO_FAILED": Word.FAILED,
    "CALLBACK_EXCEPTION": Word.UNDELIVERED,
}

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
    callback_signs=(Sign(path="data.audioWavUrl"),),
    poll_signs=(Sign(path="data.response.audioWavUrl"),),
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
    # Runway and Aleph send the same link, but always with a picture or an id beside it.
    callback_signs=(Sign(path="data.video_url", lacks=("data.image_url", "data.video_id")),),
    poll_signs=(Sign(path="data.musicIndex"), Sign(path="data.response.videoUrl")),
    failures=FAILURES,
)
