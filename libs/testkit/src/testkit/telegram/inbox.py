"""Where a medium comes from: a file of the request, a URL, or a file_id."""

from collections import OrderedDict

from testkit.telegram import rules
from testkit.telegram.fetch import VOICE_BYTES_BY_URL, UrlFetcher
from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.rich import RichBody, RichDraft, body_of
from testkit.telegram.sniff import picture_size
from testkit.telegram.state import Bot, World
from testkit.telegram.wire import Params, bad_request

FILES_REMEMBERED = 50_000
ATTACH = "attach://"

# A file that is not what its method says becomes a plain document, as in the real thing.
_TRUE_TYPES = {
    Kind.VIDEO: ("video/",),
    Kind.ANIMATION: ("image/gif", "video/"),
    Kind.AUDIO: ("audio/",),
    Kind.VOICE: ("audio/ogg", "audio/mpeg", "audio/mp4"),
}


class Inbox:
    """Turns what a call names into a file Telegram holds."""

    def __init__(self, world: World, fetcher: UrlFetcher) -> None:
        self._world = world
        self._fetcher = fetcher
        self._by_url: OrderedDict[tuple[str, Kind], MediaFile] = OrderedDict()
        self._uploads = 0

    async def receive(self, bot: Bot, params: Params, *, source: str, kind: Kind) -> MediaFile:
        """Resolve `attach://`, a URL or a file_id into a file."""
        if source.startswith(ATTACH):
            return self._uploaded(params, source.removeprefix(ATTACH), kind)
        if not source and kind in params.uploads:
            return self._uploaded(params, kind, kind)
        if source.startswith(("http://", "https://")):
            return await self._fetched(source, kind)
        if not source:
            raise bad_request(f"there is no {kind} in the request")
        return self._world.files.usable(bot.id, source, kind)

    async def receive_rich(self, bot: Bot, params: Params, draft: RichDraft) -> RichBody:
        """Resolve every medium of a rich message; one bad file and there is none."""
        files: list[MediaFile] = []
        for wanted in draft.wanted:
            file = await self.receive(bot, params, source=wanted.source, kind=wanted.kind)
            if file.kind is not wanted.kind:
                raise bad_request("wrong type of the file in a rich message")
            files.append(file)
        return body_of(draft, files)

    def _uploaded(self, params: Params, name: str, kind: Kind) -> MediaFile:
        upload = params.uploads.get(name)
        if upload is None:
            raise bad_request(f"there is no {kind} in the request")
        rules.check_upload(kind, upload.content)
        if kind is Kind.PHOTO:
            rules.check_picture(picture_size(upload.content))
        blob = self._world.blobs.keep(upload.content)
        expected = _TRUE_TYPES.get(kind)
        if expected and not blob.mime.startswith(expected):
            kind = Kind.DOCUMENT
        self._uploads += 1
        return MediaFile(
            kind=kind,
            blob=blob,
            # Each upload is a file object of its own, even of the same bytes.
            identity=f"upload:{self._uploads}",
            name=upload.name,
        )

    async def _fetched(self, url: str, kind: Kind) -> MediaFile:
        known = self._by_url.get((url, kind))
        if known is not None:
            return known
        fetched = await self._fetcher.fetch(url, kind)
        if kind is Kind.PHOTO:
            rules.check_picture(picture_size(fetched.content))
        # A long voice note by URL arrives as a file.
        too_long = kind is Kind.VOICE and len(fetched.content) > VOICE_BYTES_BY_URL
        file = MediaFile(
            kind=Kind.DOCUMENT if too_long else kind,
            blob=self._world.blobs.keep(fetched.content),
            identity=f"url:{kind}:{url}",
            name=fetched.name,
            source_url=url,
        )
        self._by_url[url, kind] = file
        if len(self._by_url) > FILES_REMEMBERED:
            self._by_url.popitem(last=False)
        return file
