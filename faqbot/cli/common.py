"""What the commands share: settings from the environment, the knowledge files, progress, exit codes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from dotenv import dotenv_values

from faqbot.errors import EmbeddingsError, FaqbotError, SettingsError, StartError
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.knowledge.files.opening import KnowledgeSource
    from faqbot.knowledge.snapshot import Snapshot
    from faqbot.model.entries import Problem
    from faqbot.search.arrays import Floats
    from faqbot.search.index import Index

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="钉钉群里的问答机器人：HR 写一份 YAML，员工 @它 就有答案。",
)


@contextmanager
def progress_bar(total: int, what: str) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal; silence in a pipe."""
    if total < 200 or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def environ() -> Mapping[str, str]:
    """The environment over the `.env` of the working directory; a name set to nothing counts as not set."""
    from_file = {k: v for k, v in dotenv_values(".env", encoding="utf-8-sig").items() if v}
    return from_file | {k: v for k, v in os.environ.items() if v.strip()}


# Proxies and certificates are read by the libraries themselves, from the real environment only.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def _use_network_settings() -> None:
    """Let proxies and certificates that stand in `.env` count too; call before the network libraries are imported."""
    for name, value in environ().items():
        if name.upper() in _NETWORK:
            os.environ.setdefault(name, value)


def read_settings(*, need_credentials: bool = False) -> Settings:
    try:
        _use_network_settings()
        return Settings.load(environ(), need_credentials=need_credentials)
    except SettingsError as exc:
        fail("设置有问题：\n" + "\n".join(f"- {p}" for p in exc.problems))
    except UnicodeDecodeError:
        fail(".env 不是 UTF-8 编码，请另存为 UTF-8")


def today_of(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()


@dataclass(frozen=True, slots=True)
class Files:
    """The knowledge files as they were read, by name, what stands before a name in messages, and where pictures lie."""

    label: str
    contents: Mapping[str, bytes]
    remarks: Sequence[Problem]
    pictures: Path

    def assemble(self, today: date) -> Snapshot:
        from faqbot.knowledge.files.picture_folder import PictureFolder
        from faqbot.knowledge.snapshot import assemble

        found = assemble(self.contents, label=self.label, today=today)
        unseen = PictureFolder(self.pictures).problems(found.entries)
        return replace(found, problems=(*found.problems, *self.remarks, *unseen))


def read_files(settings: Settings, folder: Path | None = None) -> Files:
    """What the bot of these settings answers from, or a folder that somebody named; says so where it is no folder."""

    async def read() -> Files:
        async with _shelf(settings, folder) as shelf:
            _say_where(settings, shelf.label, folder)
            return Files(shelf.label, await shelf.read(), await shelf.remarks(), folder or settings.knowledge)

    try:
        return asyncio.run(read())
    except FaqbotError as exc:
        fail(str(exc))


def write_files(
    settings: Settings, before: Mapping[str, bytes], after: Mapping[str, bytes], folder: Path | None = None
) -> None:
    """Write what differs to where read_files() read it, all or nothing. Raises FaqbotError."""

    async def write() -> None:
        async with _shelf(settings, folder) as shelf:
            await shelf.write_all(before, after)

    asyncio.run(write())


@asynccontextmanager
async def _shelf(settings: Settings, folder: Path | None) -> AsyncIterator[KnowledgeSource]:
    from faqbot.knowledge.files.folder import FolderSource
    from faqbot.knowledge.files.opening import live_source

    if folder is not None:
        yield FolderSource(folder)
        return
    async with live_source(settings) as shelf:
        yield shelf


def _say_where(settings: Settings, label: str, folder: Path | None) -> None:
    if folder is not None or settings.store.startswith("sqlite:"):
        return
    if label == str(settings.knowledge):
        print(f"存储里还没有共享的知识，读的是目录 {label}。", file=sys.stderr)
    else:
        print(f"读的是存储里几个副本共享的知识，不是目录 {settings.knowledge}。", file=sys.stderr)


def read_knowledge(settings: Settings, folder: Path | None = None) -> Snapshot:
    """The knowledge of read_files(), assembled for today."""
    return read_files(settings, folder).assemble(today_of(settings))


def with_meanings(settings: Settings, index: Index, texts: Sequence[str]) -> tuple[Index, Sequence[Floats | None]]:
    """The index and the texts with their vectors, where an embeddings endpoint is set and answers."""
    if not settings.embeddings_url:
        return index, [None] * len(texts)
    from faqbot.app.embed_texts import embed_texts

    try:
        wordings, asked = asyncio.run(embed_texts(settings, index.wordings, texts))
    except StartError as exc:
        fail(str(exc))
    except EmbeddingsError as exc:
        print(f"向量接口用不了，只按文字比较：{exc}", file=sys.stderr)
        return index, [None] * len(texts)
    return index.with_embeddings(wordings), list(asked)


def sample_knowledge() -> Path:
    """The knowledge shipped in the package; in a source checkout it lies beside the package."""
    package = Path(__file__).parent.parent
    shipped = package / "sample"
    return shipped if shipped.is_dir() else package.parent / "knowledge"


def run_to_end(coroutine: Any) -> None:
    try:
        asyncio.run(coroutine)
    except FaqbotError as exc:
        fail(str(exc))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)
