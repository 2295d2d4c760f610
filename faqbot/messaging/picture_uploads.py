"""Picture uploads: upload each local picture of an answer to DingTalk once, identified by its content hash."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from faqbot.errors import DeliveryError, StoreError
from faqbot.knowledge.files.picture_folder import MAX_PICTURE_BYTES, PictureFolder
from faqbot.markup.picture_links import fill_addresses, local_pictures
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import NoteStore

log = EventLog(__name__)

# A media id is used for this long. DingTalk does not document how long it keeps an upload.
_MEDIA_ID_SECONDS = 30 * 86400.0
# An answer is sent without a picture whose upload takes longer; the next answer shows it.
_PATIENCE_SECONDS = 5.0
# A failed upload is tried again after this long.
_RETRY_SECONDS = 60.0
# An unchanged file is read again after this long, rather than for every answer.
_REREAD_SECONDS = 86400.0


class PictureUploads:
    """Uploads pictures. `upload` takes a name and a content and returns the media id; `clock` is monotonic."""

    def __init__(
        self,
        folder: PictureFolder,
        upload: Callable[[str, bytes], Awaitable[str]],
        notes: NoteStore,
        *,
        patience: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._upload = upload
        self._notes = notes
        self._patience = patience
        self._clock = clock
        self._running: dict[Path, asyncio.Task[str]] = {}
        self._failed: dict[Path, float] = {}
        self._known: dict[tuple[Path, int, int], tuple[str, float]] = {}

    async def fill_in(self, body: str) -> str:
        """Replace the local pictures in a markdown text by media ids, or by words for one that cannot be shown."""
        names = dict.fromkeys(picture.name for picture in local_pictures(body))
        if not names:
            return body
        media_ids = await asyncio.gather(*map(self._media_id, names))
        return fill_addresses(body, dict(zip(names, media_ids, strict=True)))

    async def _media_id(self, name: str) -> str:
        """Return the media id of a picture; empty if it cannot be shown now."""
        path = await asyncio.to_thread(self._folder.find, name)
        if path is None:
            log.warning("picture.missing", picture=name)
            return ""
        if self._failed.get(path, 0.0) > self._clock():
            return ""
        task = self._running.get(path)
        if task is None:
            task = self._running[path] = asyncio.create_task(self._upload_file(path, name))
            task.add_done_callback(lambda _: self._running.pop(path, None))
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(task)
        except TimeoutError:
            log.warning("picture.slow", picture=name)
            return ""

    async def _upload_file(self, path: Path, name: str) -> str:
        try:
            stat = await asyncio.to_thread(path.stat)
            version = (path, stat.st_mtime_ns, stat.st_size)
            media, reread_at = self._known.get(version, ("", 0.0))
            if reread_at > self._clock():
                return media
            media = await self._upload_content(path, name)
        except (OSError, DeliveryError, StoreError) as exc:
            code = exc.code if isinstance(exc, DeliveryError) else type(exc).__name__
            log.error("picture.not_uploaded", picture=name, code=code, reason=str(exc))
            self._failed[path] = self._clock() + _RETRY_SECONDS
            return ""
        self._known[version] = (media, self._clock() + _REREAD_SECONDS)
        return media

    async def _upload_content(self, path: Path, name: str) -> str:
        content = await asyncio.to_thread(path.read_bytes)
        if len(content) > MAX_PICTURE_BYTES:
            raise DeliveryError("图片超过 20 MB，钉钉不收", code="too_large", permanent=True)
        key = f"picture:{hashlib.sha256(content).hexdigest()}"
        if media := await self._notes.note(key):
            return media
        media = await self._upload(path.name, content)
        await self._notes.put_note(key, media, _MEDIA_ID_SECONDS)
        log.info("picture.uploaded", picture=name, bytes=len(content))
        return media
