"""Creates one-time sign-in links to the console for the operator at the terminal."""

from __future__ import annotations

from faqbot.console.web.origin import is_loopback
from faqbot.console.web.sessions import LINK_SECONDS, announced, new_link, reachable
from faqbot.errors import StartError
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store


async def sign_in_link(settings: Settings) -> str:
    """Make a new link to the console that runs on this machine with this store. Raises StartError."""
    if not settings.console_password and not is_loopback(settings.host):
        raise StartError(f"控制台在 {settings.host} 上监听，需要密码：请设置 FAQBOT_CONSOLE_PASSWORD，再重启机器人")
    store = await open_store(settings.store)
    try:
        url = await announced(store)
        if not url:
            raise StartError("没有找到正在运行的机器人：请先用 faqbot run 启动它，并在同一个目录里运行 faqbot link")
        return await new_link(store, url)
    finally:
        await store.close()


async def first_link(settings: Settings, store: Store, console_url: str) -> str:
    """Return the line on how to open the console; empty where it has a password or is open to the network."""
    if settings.console_password or not is_loopback(settings.host):
        return ""
    link = await new_link(store, reachable(console_url))
    return f"控制台（{LINK_SECONDS / 60:.0f} 分钟内有效，只能用一次；再要一个用 faqbot link）：{link}"
