"""Colours drawn from a name, so that a person can tell two pictures apart."""

import colorsys
import hashlib

Rgb = tuple[int, int, int]


def pair_for(name: str) -> tuple[Rgb, Rgb]:
    """Two different colours that belong to this name."""
    digest = hashlib.sha256(name.encode()).digest()
    hue = digest[0] / 256
    return _rgb(hue, 0.95), _rgb((hue + 0.2 + digest[1] / 512) % 1.0, 0.55)


def blend(first: Rgb, second: Rgb, share: float) -> Rgb:
    """The colour at `share` of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _rgb(hue: float, brightness: float) -> Rgb:
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, brightness)
    return round(red * 255), round(green * 255), round(blue * 255)
