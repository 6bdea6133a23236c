"""Several media in one rich message, and the one medium with links it becomes where that fails."""

from contracts.deliveries import Content, Item
from deliverer.domain import sniff, text
from deliverer.domain.bodies import CollageBody, Medium, Way, upload_shape
from deliverer.domain.files import Files
from deliverer.domain.sniff import Shape

# A rich message holds voices only in a form that no edit can make.
_SHOWN_AS = {Shape.VOICE: Shape.AUDIO}


def collage(content: Content, way: Way, files: Files) -> CollageBody:
    """Render every item by its file_id or link, or by its bytes when the way is an upload."""
    media = tuple(_medium(item, way, files) for item in content.items)
    caption = text.cut(content.text, text.TEXT_LIMIT)
    entities = text.clip(content.entities, text.units(caption))
    return CollageBody(media, caption, entities, content.buttons)


def first_collage_way(content: Content) -> Way | None:
    """Choose where to begin; an item that is nowhere cannot be shown at all."""
    whole = all(item.file_id or item.url for item in content.items)
    return Way.URL if whole else None


def to_fetch(content: Content) -> tuple[Item, ...]:
    """Name the items whose bytes an upload needs: those with a link and no usable file_id."""
    return tuple(item for item in content.items if item.url is not None)


def next_collage_way(content: Content, way: Way) -> Way | None:
    """Return the upload after the links, if there is anything to upload."""
    return Way.UPLOAD if way is Way.URL and to_fetch(content) else None


def first_with_links(content: Content) -> Content | None:
    """Return the first item with links to the others; None where one of them would be lost."""
    first, *others = content.items
    links = [item.url for item in others if item.url is not None]
    shown = "\n".join(part for part in (content.text, *links) if part)
    if len(links) < len(others) or text.units(shown) > text.CAPTION_LIMIT:
        return None
    return content.model_copy(
        update={
            "kind": first.kind,
            "url": first.url,
            "file_id": first.file_id,
            "text": shown,
            "items": (),
        }
    )


def _medium(item: Item, way: Way, files: Files) -> Medium:
    file = files.get(item.url or "") if way is Way.UPLOAD else None
    if file is not None:
        shape = upload_shape(item.kind, file)
        return Medium(_SHOWN_AS.get(shape, shape), file)
    shape = sniff.SHAPE_OF[item.kind]
    if item.file_id is None and item.url is not None:
        shape = sniff.shape_by_link(item.kind, item.url)
    return Medium(_SHOWN_AS.get(shape, shape), item.file_id or item.url or "")
