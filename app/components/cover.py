"""A picture for an item that has none: drawn from its title and its first category, the same each time."""

from __future__ import annotations

import base64
import colorsys
import hashlib
import html
from collections.abc import Callable

#: Size of a cover in its own units.
WIDTH, HEIGHT = 320, 200

#: Lightness of the ends of the background, where that is dark enough.
_LIGHTNESS = (0.17, 0.29)
_SATURATION = 0.62
#: How much of the pattern's white covers the background, at most.
_PATTERN_OPACITY = 0.13
#: White text has a contrast of more than 4.5 to 1 (WCAG 2, AA) on what is no lighter: (1 + .05) / (.18 + .05).
_MAX_LUMINANCE = 0.18

_SMALL_WORDS = frozenset({"a", "an", "and", "der", "die", "das", "in", "la", "le", "of", "on", "the", "to"})


def cover_svg(title: str, category: str) -> str:
    """An SVG picture, whose colours are those of the category and whose pattern is that of the title.

    Args:
        title: of the item, or its id.
        category: its first category; an empty text where it has none.
    """
    digest = hashlib.blake2b(title.encode("utf-8", "replace"), digest_size=16).digest()
    first, second = background(title, category)
    name = f"g{digest.hex()[:12]}"
    pattern = _PATTERNS[digest[0] % len(_PATTERNS)](digest)
    label = html.escape(category[:24].upper())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'preserveAspectRatio="xMidYMid slice">'
        f'<defs><linearGradient id="{name}" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{first}"/>'
        f'<stop offset="1" stop-color="{second}"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#{name})"/>'
        f'<g fill="#fff" stroke="#fff" opacity="{_PATTERN_OPACITY}">{pattern}</g>'
        f'<text x="20" y="118" fill="#fff" font-family="Georgia, serif" font-size="92" font-weight="700">'
        f"{html.escape(initials(title))}</text>"
        f'<text x="22" y="176" fill="#fff" font-family="sans-serif" font-size="19" font-weight="600" '
        f'letter-spacing="1.6">{label}</text></svg>'
    )


def cover_html(title: str, category: str) -> str:
    """The picture as an element of HTML, decorative for who cannot see it."""
    encoded = base64.b64encode(cover_svg(title, category).encode()).decode()
    return f'<div class="rs-cover"><img alt="" src="data:image/svg+xml;base64,{encoded}"></div>'


def initials(title: str) -> str:
    """The first letters of the first two words that say something; of a title without words its first sign."""
    words = ["".join(sign for sign in word if sign.isalnum()) for word in title.replace(",", " ").split()]
    words = [word for word in words if word]
    telling = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    return "".join(word[0].upper() for word in telling[:2]) or title.strip()[:1] or "?"


def background(title: str, category: str) -> tuple[str, str]:
    """The two colours of the background, as ``#rrggbb``; items of one category have nearly the same."""
    seed = hashlib.blake2b((category or title).encode("utf-8", "replace"), digest_size=4).digest()
    own = hashlib.blake2b(title.encode("utf-8", "replace"), digest_size=4).digest()
    hue = int.from_bytes(seed, "big") % 360 / 360
    shift = (own[0] / 255 - 0.5) * 0.06
    second = 0.09 + own[1] / 255 * 0.08
    return (
        _colour(hue + shift, _LIGHTNESS[1] if own[2] % 2 else _LIGHTNESS[0]),
        _colour(hue + shift + second, _LIGHTNESS[0] if own[2] % 2 else _LIGHTNESS[1]),
    )


def _colour(hue: float, lightness: float) -> str:
    """A colour that is dark enough for white text: green looks lighter than blue at the same lightness."""
    while _luminance(rgb := colorsys.hls_to_rgb(hue % 1, lightness, _SATURATION)) > _MAX_LUMINANCE:
        lightness *= 0.95
    return "#" + "".join(f"{round(value * 255):02x}" for value in rgb)


def _luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance (WCAG 2) under the pattern, from 0 to 1."""
    red, green, blue = (value + (1 - value) * _PATTERN_OPACITY for value in rgb)
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _circles(digest: bytes) -> str:
    x, y = 190 + digest[1] % 110, 20 + digest[2] % 110
    rings = (f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke-width="12"/>' for radius in (26, 58, 90, 122))
    return "".join(rings)


def _stripes(digest: bytes) -> str:
    lean = 40 + digest[1] % 120
    return "".join(
        f'<path d="M{x} 0h22l{-lean} {HEIGHT}h-22z" stroke="none"/>' for x in range(60, WIDTH + lean + 40, 52)
    )


def _hills(digest: bytes) -> str:
    paths = []
    for row in range(3):
        top = 92 + 34 * row
        bend = digest[row + 1] % 60 - 30
        paths.append(
            f'<path d="M0 {top}C90 {top - 46 + bend} 150 {top + 40 - bend} 214 {top - 8}S300 {top - 40} {WIDTH} '
            f'{top + bend // 3}V{HEIGHT}H0z" stroke="none" opacity="{0.5 + 0.2 * row:.1f}"/>'
        )
    return "".join(paths)


def _dots(digest: bytes) -> str:
    spots = []
    for row in range(6):
        for column in range(9):
            bit = digest[(row * 9 + column) % len(digest)]
            spots.append(f'<circle cx="{20 + column * 36}" cy="{16 + row * 36}" r="{2 + bit % 12}" stroke="none"/>')
    return "".join(spots)


def _triangles(digest: bytes) -> str:
    shapes = []
    for place in range(5):
        x, y = digest[place + 1] / 255 * 250 + 40, digest[place + 6] / 255 * 150
        size = 46 + digest[place + 11] % 60
        shapes.append(f'<path d="M{x:.0f} {y:.0f}l{size} {size // 2}l{-size // 2} {size}z" stroke="none"/>')
    return "".join(shapes)


_PATTERNS: tuple[Callable[[bytes], str], ...] = (_circles, _stripes, _hills, _dots, _triangles)
