"""Shared knowledge text in Redis, with its own key names and Lua scripts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

import redis.asyncio as redis

from faqbot.model.shared_text import SharedText
from faqbot.store.redis_errors import execute

_P = "faqbot:text-"
_VERSION = f"{_P}version"  # counter of changes
_TEXTS, _SEEDS, _ASIDE = f"{_P}live", f"{_P}seeds", f"{_P}aside"  # hashes: file name -> bytes
_DONE = f"{_P}done:"  # string per call, so that the client may repeat a call whose answer was lost
_DEPLOYED = f"{_P}deployed:"  # string per place: digest of the text that was deployed there last

# The client repeats a call at once, so a minute is ample.
_REMEMBER_CALL_SECONDS = 60
# A deployment that has not run for this long counts as a new one.
_REMEMBER_PLACE_SECONDS = 180 * 86400
# Values of the `aside` hash: a plus and the text, or a minus where the file is not deployed any more. The arguments of
# the scripts mark present and absent files by the same signs.
_TEXT, _NONE = b"+", b"-"

# Arguments: the call; then for each file its name, expected and new content. Returns the name of a file whose content
# is not the expected one, or ''.
_PUT = f"""
local done = '{_DONE}' .. ARGV[1]
if redis.call('EXISTS', done) == 1 then return '' end
for n = 2, #ARGV, 3 do
  local present = redis.call('HGET', '{_TEXTS}', ARGV[n])
  if (present and '+' .. present or '-') ~= ARGV[n + 1] then return ARGV[n] end
end
for n = 2, #ARGV, 3 do
  if ARGV[n + 2] == '-' then
    redis.call('HDEL', '{_TEXTS}', ARGV[n])
  else
    redis.call('HSET', '{_TEXTS}', ARGV[n], string.sub(ARGV[n + 2], 2))
  end
end
redis.call('INCR', '{_VERSION}')
redis.call('SET', done, '1', 'EX', {_REMEMBER_CALL_SECONDS})
return ''
"""
# Arguments: the call, the version, then key, name and value of each field to set, `=` before it, or '-' to delete.
_SWAP = f"""
local done = '{_DONE}' .. ARGV[1]
if redis.call('EXISTS', done) == 1 then return 1 end
if (redis.call('GET', '{_VERSION}') or '0') ~= ARGV[2] then return 0 end
for n = 3, #ARGV, 3 do
  if ARGV[n + 2] == '-' then
    redis.call('HDEL', ARGV[n], ARGV[n + 1])
  else
    redis.call('HSET', ARGV[n], ARGV[n + 1], string.sub(ARGV[n + 2], 2))
  end
end
redis.call('INCR', '{_VERSION}')
redis.call('SET', done, '1', 'EX', {_REMEMBER_CALL_SECONDS})
return 1
"""


class RedisSharedText:
    """See SharedTexts."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._put = client.register_script(_PUT)
        self._swap = client.register_script(_SWAP)

    async def version(self) -> int:
        return int(await execute(self._redis.get(_VERSION)) or 0)

    async def load(self) -> SharedText:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(_VERSION)
            for key in (_TEXTS, _SEEDS, _ASIDE):
                pipe.hgetall(key)
            version, texts, seeds, aside = await execute(pipe.execute())
        return SharedText(
            int(version or 0),
            {name.decode(): text for name, text in texts.items()},
            {name.decode(): text for name, text in seeds.items()},
            {name.decode(): text[1:] if text[:1] == _TEXT else None for name, text in aside.items()},
        )

    async def put(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> str | None:
        args: list[str | bytes] = [secrets.token_hex(6)]
        for name, content in after.items():
            args += [name, _signed(before[name]), _signed(content)]
        name = (await execute(self._put(args=args))).decode()
        return name or None

    async def swap(self, before: SharedText, after: SharedText) -> bool:
        args: list[str | bytes | int] = [secrets.token_hex(6), before.version]
        args += _differences(_TEXTS, before.texts, after.texts)
        args += _differences(_SEEDS, before.base, after.base)
        args += _differences(_ASIDE, _all_signed(before.conflicts), _all_signed(after.conflicts))
        return bool(await execute(self._swap(args=args)))

    async def deployed(self, place: str) -> str:
        return ((await execute(self._redis.get(_DEPLOYED + place))) or b"").decode()

    async def note_deployed(self, place: str, digest: str) -> None:
        await execute(self._redis.set(_DEPLOYED + place, digest, ex=_REMEMBER_PLACE_SECONDS))


def _signed(content: bytes | None) -> bytes:
    return _NONE if content is None else _TEXT + content


def _all_signed(files: Mapping[str, bytes | None]) -> dict[str, bytes]:
    return {name: _signed(content) for name, content in files.items()}


def _differences(key: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str | bytes]:
    for name in {*before, *after}:
        if before.get(name) != (content := after.get(name)):
            yield from (key, name, b"-" if content is None else b"=" + content)
