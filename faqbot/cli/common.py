"""Helpers shared by the commands: settings, knowledge files, progress bars, exit codes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from dotenv import dotenv_values

from faqbot.errors import EmbeddingsError, EncoderMissing, FaqbotError, SettingsError, StoreError
from faqbot.settings import Settings

if TYPE_CHECKING:
    from faqbot.knowledge.files.opening import KnowledgeSource
    from faqbot.knowledge.snapshot import Snapshot
    from faqbot.model.entries import Problem
    from faqbot.search.arrays import Floats
    from faqbot.search.index import Index
    from faqbot.search.thresholds import Thresholds

_T = TypeVar("_T")

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="钉钉群里的问答机器人：HR 写一份 YAML，员工 @它 就有答案。",
)


# Less work than this is done before a progress bar could be read.
_MIN_TOTAL = 200


@contextmanager
def progress_bar(total: int, label: str) -> Iterator[Callable[[int], object]]:
    """Show a progress bar on a terminal, nothing in a pipe or for a small `total`; yield a setter for the progress."""
    if total < _MIN_TOTAL or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def environ() -> Mapping[str, str]:
    """Return the environment merged over the `.env` of the working directory; an empty value counts as not set."""
    from_file = {k: v for k, v in dotenv_values(".env", encoding="utf-8-sig").items() if v}
    return from_file | {k: v for k, v in os.environ.items() if v.strip()}


# The network libraries read these themselves, and from the real environment only.
_NETWORK_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def _prepare_libraries() -> None:
    """Set the environment that libraries read when they are imported: proxies and certificates of `.env`, threads."""
    for name, value in environ().items():
        if name.upper() in _NETWORK_NAMES:
            os.environ.setdefault(name, value)
    # The matrices of a search are small: several threads only wait for each other, many times as long as one computes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def read_settings(*, need_credentials: bool = False) -> Settings:
    """Read the settings of this working directory; end the command if they are wrong."""
    try:
        _prepare_libraries()
        return Settings.load(environ(), need_credentials=need_credentials)
    except SettingsError as exc:
        fail("设置有问题：\n" + "\n".join(f"- {p}" for p in exc.problems))
    except UnicodeDecodeError:
        fail(".env 不是 UTF-8 编码，请另存为 UTF-8")


def today_of(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()


@dataclass(frozen=True, slots=True)
class KnowledgeFiles:
    """The knowledge files by name, the problems of their source, and the folder of their pictures.

    `label` precedes a name in messages.
    """

    label: str
    contents: Mapping[str, bytes]
    source_problems: Sequence[Problem]
    picture_folder: Path

    def assemble(self, today: date) -> Snapshot:
        """Build the snapshot of that day, with the problems of source and pictures among its own."""
        from faqbot.knowledge.files.picture_folder import PictureFolder
        from faqbot.knowledge.snapshot import build_snapshot

        snapshot = build_snapshot(self.contents, label=self.label, today=today)
        picture_problems = PictureFolder(self.picture_folder).problems(snapshot.entries)
        return replace(snapshot, problems=(*snapshot.problems, *self.source_problems, *picture_problems))


def read_files(settings: Settings, folder: Path | None = None) -> KnowledgeFiles:
    """Read the knowledge of the bot with these settings, or the given folder; end the command if that fails.

    Says on stderr where it read from if that is not a local folder by default.
    """

    async def read() -> KnowledgeFiles:
        async with _open_source(settings, folder) as source:
            _print_source(settings, source.label, folder)
            files, problems = await source.read(), await source.problems()
            return KnowledgeFiles(source.label, files, problems, folder or settings.knowledge)

    try:
        return asyncio.run(read())
    except FaqbotError as exc:
        fail(str(exc))


def write_files(
    settings: Settings, before: Mapping[str, bytes], after: Mapping[str, bytes], folder: Path | None = None
) -> None:
    """Write the files that differ back to where read_files() read them, all or none. Raises FaqbotError."""

    async def write() -> None:
        async with _open_source(settings, folder) as source:
            await source.write_all(before, after)

    asyncio.run(write())


@asynccontextmanager
async def _open_source(settings: Settings, folder: Path | None) -> AsyncIterator[KnowledgeSource]:
    from faqbot.knowledge.files.folder import FolderSource
    from faqbot.knowledge.files.opening import live_source

    if folder is not None:
        yield FolderSource(folder)
        return
    async with live_source(settings) as source:
        yield source


def _print_source(settings: Settings, label: str, folder: Path | None) -> None:
    if folder is not None or settings.store.startswith("sqlite:"):
        return
    if label == str(settings.knowledge):
        print(f"存储里还没有共享的知识，读的是目录 {label}。", file=sys.stderr)
    else:
        print(f"读的是存储里几个副本共享的知识，不是目录 {settings.knowledge}。", file=sys.stderr)


def read_knowledge(settings: Settings, folder: Path | None = None) -> Snapshot:
    """Read the files as read_files() does and assemble them for today."""
    return read_files(settings, folder).assemble(today_of(settings))


@dataclass(frozen=True, slots=True)
class Embedded:
    """An index with embeddings where there is an encoder, the thresholds for them, and the embedding of each text.

    `limits` are the thresholds by words alone.
    """

    index: Index
    limits: Thresholds
    limits_by_meaning: Thresholds | None
    embeddings: Sequence[Floats | None]


def embed(settings: Settings, index: Index, texts: Sequence[str]) -> Embedded:
    """Calibrate the index, and add embeddings to it and to the texts; say on stderr if an encoder fails."""
    from faqbot.app.embed_texts import embed_texts
    from faqbot.language.sentence_splitting import main_question
    from faqbot.search.thresholds import learn

    by_words = Embedded(index, learn(index, settings.strictness), None, [None] * len(texts))
    wordings = index.embedded_texts
    try:
        with progress_bar(len(wordings) + len(texts), "计算含义（算过的不再算）") as progress:
            vectors = asyncio.run(embed_texts(settings, [*wordings, *map(main_question, texts)], progress))
    except EncoderMissing as exc:
        if exc.broken:
            print(f"只按文字比较：{exc}", file=sys.stderr)
        return by_words
    except (EmbeddingsError, StoreError) as exc:
        print(f"含义比较用不了，只按文字比较：{exc}", file=sys.stderr)
        return by_words
    embedded = index.with_embeddings(vectors[: len(wordings)])
    limits = learn(embedded, settings.strictness)
    return Embedded(embedded, by_words.limits, limits, list(vectors[len(wordings) :]))


def sample_knowledge() -> Path:
    """Return the folder of the sample knowledge: in the package, or beside it in a source checkout."""
    package = Path(__file__).parent.parent
    shipped = package / "sample"
    return shipped if shipped.is_dir() else package.parent / "knowledge"


def run_to_end(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run the coroutine and return its result; end the command with exit code 2 on a FaqbotError, 130 on Ctrl-C."""
    try:
        return asyncio.run(coroutine)
    except FaqbotError as exc:
        fail(str(exc))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(message: str) -> NoReturn:
    """End the command with exit code 2 and a message on stderr."""
    print(message, file=sys.stderr)
    raise typer.Exit(2)
