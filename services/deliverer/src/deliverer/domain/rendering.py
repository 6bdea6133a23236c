"""A content, tried in some way, as the body of a call."""

from contracts.deliveries import Content, Item
from contracts.values import MediaKind
from deliverer.domain import collages
from deliverer.domain.bodies import Body, Way, body, needs_file
from deliverer.domain.files import Files


def rendered(content: Content, way: Way, files: Files) -> Body:
    """Render the whole desired state; `files` holds the bytes of every link to fetch."""
    if content.items:
        return collages.collage(content, way, files)
    return body(content, way, files.get(content.url or ""))


def to_fetch(content: Content, way: Way) -> tuple[Item, ...]:
    """Name the links whose bytes this way needs, as what they are asked for."""
    if not needs_file(way):
        return ()
    if content.items:
        return collages.to_fetch(content)
    return (Item(kind=content.kind, url=content.url),)


def editable(content: Content) -> Content:
    """Return the content as what an edit can make of it: no message becomes a voice note."""
    if content.kind is not MediaKind.VOICE:
        return content
    return content.model_copy(update={"kind": MediaKind.AUDIO})


def stageable(content: Content) -> Content | None:
    """Return the bare medium, of a kind that both an edit and a send can show later."""
    if content.items or content.kind is MediaKind.TEXT:
        return None
    return editable(content).model_copy(update={"text": "", "entities": (), "buttons": ()})
