"""Draws a small baseline JPEG of flat 8x8 blocks: only mean values are coded, never detail."""

import struct

from testkit.kie.media.colour import Rgb, blend

BLOCKS = 12  # blocks along one side
STEP = 8  # quantiser of the mean value: one step is one level of brightness

# Table K.3 of the JPEG standard: how many codes of each length, and what they mean.
DC_COUNTS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
DC_VALUES = bytes(range(12))
# One code is all the detail table needs: "no detail in this block", written as a single 0 bit.
AC_COUNTS = bytes((1, *[0] * 15))
AC_VALUES = b"\x00"


def jpeg(*, label: str, top: Rgb, bottom: Rgb) -> bytes:
    """A picture of its own for every label; the label is its comment."""
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00" + struct.pack(">HHBB", 1, 1, 0, 0)),
            _segment(0xFE, label.encode("utf-8")),
            _segment(0xDB, b"\x00" + bytes([STEP]) * 64),
            _segment(0xC0, _frame()),
            _segment(0xC4, b"\x00" + DC_COUNTS + DC_VALUES),
            _segment(0xC4, b"\x10" + AC_COUNTS + AC_VALUES),
            _segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00"),
            _scan(top, bottom),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _frame() -> bytes:
    side = BLOCKS * 8
    components = b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    return struct.pack(">BHHB", 8, side, side, 3) + components


def _scan(top: Rgb, bottom: Rgb) -> bytes:
    codes = _dc_codes()
    bits: list[str] = []
    previous = [0, 0, 0]
    for block in range(BLOCKS * BLOCKS):
        colour = blend(top, bottom, (block // BLOCKS) / (BLOCKS - 1))
        for component, level in enumerate(_ycc(colour)):
            bits.append(_difference(level - previous[component], codes) + "0")
            previous[component] = level
    return _packed("".join(bits))


def _ycc(colour: Rgb) -> tuple[int, int, int]:
    red, green, blue = colour
    return (
        round(0.299 * red + 0.587 * green + 0.114 * blue) - 128,
        round(-0.1687 * red - 0.3313 * green + 0.5 * blue),
        round(0.5 * red - 0.4187 * green - 0.0813 * blue),
    )


def _dc_codes() -> dict[int, str]:
    codes: dict[int, str] = {}
    values = iter(DC_VALUES)
    code = 0
    for length, count in enumerate(DC_COUNTS, start=1):
        for _ in range(count):
            codes[next(values)] = format(code, f"0{length}b")
            code += 1
        code <<= 1
    return codes


def _difference(difference: int, codes: dict[int, str]) -> str:
    size = abs(difference).bit_length()
    if size == 0:
        return codes[0]
    # A negative difference is written as its distance from the lowest value of that size.
    written = difference if difference > 0 else difference + (1 << size) - 1
    return codes[size] + format(written, f"0{size}b")


def _packed(bits: str) -> bytes:
    padded = bits + "1" * (-len(bits) % 8)
    coded = int(padded, 2).to_bytes(len(padded) // 8, "big")
    return coded.replace(b"\xff", b"\xff\x00")
