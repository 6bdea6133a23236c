"""What the shop sells: three models, their prices, and how a wish becomes their input."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

CURRENCY = "RUB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing a user can buy."""

    slug: str
    title: str
    price: int  # kopecks
    model: str
    family: str = "market"
    settings: Mapping[str, JsonValue] = field(default_factory=dict)

    def input(self, wish: str) -> dict[str, JsonValue]:
        """What the model is told."""
        return {"prompt": wish, **self.settings}


CATALOGUE = {
    product.slug: product
    for product in (
        Product(
            slug="picture",
            title="Picture",
            price=19_90,
            model="google/nano-banana",
            settings={"output_format": "png"},
        ),
        Product(
            slug="video",
            title="Video",
            price=99_00,
            family="veo",
            model="veo3_fast",
            settings={"aspectRatio": "16:9"},
        ),
        Product(
            slug="song",
            title="Song",
            price=49_00,
            family="suno_music",
            model="V4_5",
            settings={"customMode": False, "instrumental": False},
        ),
    )
}


def money(amount: int) -> str:
    """Kopecks as people write them."""
    roubles, kopecks = divmod(amount, 100)
    return f"{roubles}.{kopecks:02d} {CURRENCY}"
