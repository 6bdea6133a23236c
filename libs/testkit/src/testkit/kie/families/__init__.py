"""The table of families: a further one is one entry here."""

from testkit.kie.families.family import Family
from testkit.kie.families.images import FLUX_KONTEXT, GPT4O_IMAGE
from testkit.kie.families.market import MARKET
from testkit.kie.families.runway import ALEPH, RUNWAY, RUNWAY_EXTEND
from testkit.kie.families.suno import (
    SUNO_LYRICS,
    SUNO_MUSIC,
    SUNO_REPLACE_SECTION,
    SUNO_SOUNDS,
    SUNO_VARIANTS,
)
from testkit.kie.families.suno_files import SUNO_FILES
from testkit.kie.families.suno_voice import SUNO_VOICES
from testkit.kie.families.veo import VEO, VEO_4K, VEO_1080P, VEO_EXTEND

__all__ = ["FAMILIES", "Family"]

FAMILIES: tuple[Family, ...] = (
    MARKET,
    VEO,
    VEO_EXTEND,
    VEO_4K,
    VEO_1080P,
    SUNO_MUSIC,
    *SUNO_VARIANTS,
    SUNO_SOUNDS,
    SUNO_REPLACE_SECTION,
    SUNO_LYRICS,
    *SUNO_FILES,
    *SUNO_VOICES,
    GPT4O_IMAGE,
    FLUX_KONTEXT,
    RUNWAY,
    RUNWAY_EXTEND,
    ALEPH,
)
