"""The file that an entity names as its logo in; the picture as a `data:` address for a page that loads nothing out."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from auditor.errors import InvalidInput

LARGEST = 64 * 1024  # bytes; a page holds several
# A picture of these forms holds no program; an SVG may.
_FORMS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def picture(file: Path) -> str:
    """Raises InvalidInput for what is no PNG or JPEG file of that size; what is in it counts, not its name."""
    try:
        if not file.is_file():
            raise InvalidInput(f"there is no file {file.name}")
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file.name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST:
        raise InvalidInput(f"{file.name} is larger than {LARGEST // 1024} KiB: make it smaller")
    form = next((name for magic, name in _FORMS.items() if content.startswith(magic)), None)
    if form is None:
        raise InvalidInput(f"{file.name} is no PNG or JPEG picture")
    return f"data:{form};base64,{b64encode(content).decode('ascii')}"
