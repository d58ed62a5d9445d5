"""A figure as inline SVG that takes the page's own ink, so that one file reads well on white and on black."""

import base64
import io
import re

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from sage_lightning.evaluation.figures.style import COLOURS, INK, MUTED, RULE

# Exact colours of the style → CSS variables that the template defines for light and dark.
THEME = {INK: "ink", MUTED: "muted", RULE: "rule"} | {
    colour: "-".join(["c", *name.split()]) for name, colour in COLOURS.items()
}
JPEG_QUALITY = 86


def svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element.

    Args:
        figure: drawn in the package's style.
        name: prefix of its ids, unique on the page.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, dpi=220, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    width = 4 / 3 * float(figure.get_figwidth()) * 72  # points → CSS pixels
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]+")[^>]*>',
        rf'<svg \1 role="img" style="max-width:{width:.0f}px">',
        text,
        count=1,
    )
    text = re.sub(r'\sid="image[0-9a-f]+"', "", text)  # nothing points to them, and a picture may occur twice
    text = re.sub(r'(id="|href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r"data:image/png;base64,([^\"]+)", _smaller, text)
    text = re.sub(r"font-family:[^;\"]*", "font-family: inherit", text)
    text = re.sub(r"(font: [^;\"']*?)'[^;\"]*", r"\1var(--font)", text)
    for colour, variable in THEME.items():
        text = text.replace(colour, f"var(--{variable})")
    return text.replace("xlink:href", "href")


def _smaller(match: re.Match[str]) -> str:
    """An opaque PNG as JPEG, a tenth of its size; what has transparency stays."""
    image = Image.open(io.BytesIO(base64.b64decode(match[1])))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return match[0]
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
