"""A request that works for every family, for tests and for load."""

from collections.abc import Mapping
from dataclasses import dataclass

from testkit.kie.wire import Json

PARENT = "<parent>"  # stands for the id of a finished task


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request as a bot makes it."""

    family: str
    operation: str
    model: str
    input: Mapping[str, Json]

    def given(self, *, parent: str) -> dict[str, Json]:
        """What the model is given, about the parent where the operation is about one."""
        return {key: parent if value == PARENT else value for key, value in self.input.items()}


def _sample(family: str, operation: str, model: str, **given: Json) -> Sample:
    return Sample(family=family, operation=operation, model=model, input=given)


_SONG = "V4_5"
_SOUND = "https://files.example/a.mp3"
_CLIP = "https://files.example/a.mp4"

# By the name the family has here and in libs/kie.
SAMPLES: Mapping[str, Sample] = {
    "market": _sample("market", "generate", "google/nano-banana", prompt="a cat"),
    "veo": _sample("veo", "generate", "veo3_fast", prompt="a cat"),
    "veo_extend": _sample("veo", "extend", "veo3_fast", taskId=PARENT, prompt="it jumps"),
    "veo_4k": _sample("veo", "4k", "veo3_fast", taskId=PARENT, index=0),
    "veo_1080p": _sample("veo", "1080p", "veo3_fast", taskId=PARENT, index=0),
    "suno_music": _sample("suno", "generate", _SONG, prompt="a waltz", title="Night tram"),
    "suno_extend": _sample("suno", "extend", _SONG, audioId="a", prompt="a waltz", continueAt=60),
    "suno_upload_cover": _sample("suno", "upload_cover", _SONG, uploadUrl=_SOUND, prompt="a waltz"),
    "suno_upload_extend": _sample("suno", "upload_extend", _SONG, uploadUrl=_SOUND, continueAt=60),
    "suno_add_instrumental": _sample("suno", "add_instrumental", _SONG, uploadUrl=_SOUND),
    "suno_add_vocals": _sample("suno", "add_vocals", _SONG, uploadUrl=_SOUND, prompt="a waltz"),
    "suno_replace_section": _sample(
        "suno", "replace_section", _SONG, taskId=PARENT, audioId="a", infillStartS=1, infillEndS=9
    ),
    "suno_mashup": _sample("suno", "mashup", _SONG, uploadUrlList=[_SOUND, _SOUND]),
    "suno_sounds": _sample("suno", "sounds", "V5", prompt="rain on a roof"),
    "suno_lyrics": _sample("suno", "lyrics", _SONG, prompt="a song about rain"),
    "suno_wav": _sample("suno", "wav", _SONG, taskId=PARENT, audioId="a"),
    "suno_mp4": _sample("suno", "mp4", _SONG, taskId=PARENT, audioId="a"),
    "suno_vocal_removal": _sample("suno", "vocal_removal", _SONG, taskId=PARENT, audioId="a"),
    "suno_midi": _sample("suno", "midi", _SONG, taskId=PARENT, audioId="a"),
    "suno_cover_image": _sample("suno", "cover_image", _SONG, taskId=PARENT),
    "suno_voice_validate": _sample(
        "suno", "voice_validate", _SONG, voiceUrl=_SOUND, vocalStartS=0, vocalEndS=9
    ),
    "suno_voice_regenerate": _sample("suno", "voice_regenerate", _SONG, taskId=PARENT),
    "suno_voice_generate": _sample(
        "suno", "voice_generate", _SONG, taskId=PARENT, verifyUrl=_SOUND
    ),
    "gpt4o_image": _sample("gpt4o_image", "generate", "gpt4o", prompt="a cat", size="1:1"),
    "flux_kontext": _sample("flux_kontext", "generate", "flux-kontext-pro", prompt="a cat"),
    "runway": _sample("runway", "generate", "gen4", prompt="a cat", duration=5, quality="720p"),
    "runway_extend": _sample("runway", "extend", "gen4", taskId=PARENT, prompt="it jumps"),
    "aleph": _sample("aleph", "generate", "aleph", prompt="make it night", videoUrl=_CLIP),
}
