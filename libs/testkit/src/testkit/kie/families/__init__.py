"""The table of families: a further one is one entry here."""

from testkit.kie.families.family import Family
from testkit.kie.families.images import FLUX_KONTEXT, GPT4O_IMAGE
from testkit.kie.families.market import MARKET
from testkit.kie.families.runway import ALEPH, RUNWAY, RUNWAY_EXTEND
from testkit.kie.families.suno import SUNO_LYRICS, SUNO_MUSIC, SUNO_VARIANTS
from testkit.kie.families.veo import VEO, VEO_EXTEND

__all__ = ["FAMILIES", "Family"]

FAMILIES: tuple[Family, ...] = (
    MARKET,
    VEO,
    VEO_EXTEND,
    SUNO_MUSIC,
    *SUNO_VARIANTS,
    SUNO_LYRICS,
    GPT4O_IMAGE,
    FLUX_KONTEXT,
    RUNWAY,
    RUNWAY_EXTEND,
    ALEPH,
)
