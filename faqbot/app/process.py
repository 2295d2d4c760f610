"""Process of `faqbot run`: interpreter tuning, signal handling, and running until shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable

from faqbot.app.running import running
from faqbot.app.sign_in import first_link
from faqbot.settings import Settings

_SWITCH_SECONDS = 0.0001


async def serve(settings: Settings, say: Callable[[str], object] | None = None) -> None:
    """Run until SIGTERM or Ctrl-C; `say` shows a line to the person at the terminal. Raises StartError."""
    tune_process()
    stopped = until_stopped()
    async with running(settings) as app:
        gc.freeze()
        if say is not None and (line := await first_link(settings, app.store, app.console_url)):
            say(line)
        await asyncio.wait({stopped, app.finished}, return_when=asyncio.FIRST_COMPLETED)
        if app.finished.done():
            await app.finished


def until_stopped() -> asyncio.Future[None]:
    """Return a future that is done when the process is asked to stop."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no signal handlers on the loop; there Ctrl-C arrives as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    return stopped


def tune_process() -> None:
    """Set for the whole process how long a thread may keep others waiting, and when garbage is collected."""
    # The store's thread needs Python's lock many times for one commit; by default each time may take five milliseconds
    # from a busy loop, and acknowledgements wait for commits.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Every message makes many short-lived objects; looking through the whole index after each few of them costs a tenth
    # of the work.
    gc.set_threshold(50_000, 50, 100)
