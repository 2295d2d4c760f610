"""The shared engine: one Redis (7 or newer) for all replicas. All key names and scripts are here.

A step that touches several keys is one script, so it happens whole or not at all. Scripts may be repeated after a lost
answer: each is written so that a repeat changes nothing.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, RedisError

from faqbot.errors import StartError
from faqbot.model.conversation import ConversationState
from faqbot.model.messages import DeliveryResult, Message
from faqbot.model.question_log import QuestionRecord
from faqbot.store.codec import pack_context, pack_message, pack_record, unpack_context, unpack_message
from faqbot.store.protocol import Accepted, JournalLine
from faqbot.store.redis_errors import answer as _do
from faqbot.store.redis_shared_text import RedisSharedText

# Layout of the keys. A change raises the number and adds a step to _UPGRADES.
_LAYOUT = 1
_P = "faqbot:"
_SCHEMA = f"{_P}layout"
_INBOX = f"{_P}inbox"  # hash: message key -> the message as JSON, until it is finished
_OWNERS = f"{_P}owners"  # hash: message key -> the worker that claimed it
_WAITING = f"{_P}waiting"  # sorted set: unfinished message keys by the time they were received
_SEQUENCE = f"{_P}sequence"  # counter: order of acceptance
_SEEN = f"{_P}seen:"  # string per message: who claimed it in which call, later its last state
_LANE = f"{_P}lane:"  # sorted set per thread: its unfinished message keys in order of acceptance
_ALIVE = f"{_P}alive:"  # string per worker: its lease
# Not `context:`, which earlier versions, perhaps running beside this one, read differently.
_CONTEXT = f"{_P}said:"
_QUESTION = f"{_P}question:"  # string per question: the record as JSON
# hashes: message key -> rating, message key -> message whose list was picked from. Not in the record, which an earlier
# version, perhaps running beside this one, must read.
_RATINGS, _PICKED_FOR = f"{_P}ratings", f"{_P}picked-for"
_QUESTIONS = f"{_P}questions"  # sorted set: message keys by the time they were asked
_ASKED = f"{_P}asked:"  # set per person: message keys
_CLAIM, _NOTE, _SLOT = f"{_P}claim:", f"{_P}note:", f"{_P}slot:"
_JOURNAL = f"{_P}journal:"  # sorted set per journal: its lines by time
_MARKS = f"{_P}marks:"  # hash per name
_COUNTERS, _DOCUMENTS, _VECTORS = f"{_P}counters", f"{_P}documents", f"{_P}vectors"

# A finished message is known again for so long; DingTalk's repeats come within minutes.
_REMEMBER_SECONDS = 7 * 86400
# Contexts are void long before; this only keeps them from piling up.
_CONTEXT_SECONDS = 3600
_TIMEOUT_SECONDS = 2.5
_GLOB, _ESCAPED = re.compile(r"([][*?^\\])"), r"\\\1"
_CONNECTIONS = 64

# Answers nothing for a message seen before, else the number of unfinished messages of the thread before it, and the
# asker's context. The claim is known by the call that made it: the same call repeated gets the same answer.
_ACCEPT = f"""
local key, call = ARGV[1], ARGV[2]
local seen = redis.call('SET', '{_SEEN}' .. key, call, 'NX', 'GET', 'EX', {_REMEMBER_SECONDS})
if seen and seen ~= call then return false end
local lane = '{_LANE}' .. ARGV[6]
local said = redis.call('GET', '{_CONTEXT}' .. ARGV[6])
if seen then return {{redis.call('ZRANK', lane, key) or 0, said}} end
local ahead = redis.call('ZCARD', lane)
redis.call('HSET', '{_INBOX}', key, ARGV[3])
redis.call('HSET', '{_OWNERS}', key, ARGV[4])
redis.call('ZADD', '{_WAITING}', ARGV[5], key)
redis.call('ZADD', lane, redis.call('INCR', '{_SEQUENCE}'), key)
return {{ahead, said}}
"""
_TAKE_OVER = f"""
local me, most, taken, alive = ARGV[1], tonumber(ARGV[2]), {{}}, {{}}
for _, key in ipairs(redis.call('ZRANGE', '{_WAITING}', 0, -1)) do
  if #taken >= most then break end
  local owner = redis.call('HGET', '{_OWNERS}', key) or ''
  if alive[owner] == nil then
    alive[owner] = owner == me or (owner ~= '' and redis.call('EXISTS', '{_ALIVE}' .. owner) == 1)
  end
  if not alive[owner] then
    redis.call('HSET', '{_OWNERS}', key, me)
    taken[#taken + 1] = redis.call('HGET', '{_INBOX}', key)
  end
end
return taken
"""
_UNFINISHED = f"""
local mine = {{}}
for _, key in ipairs(redis.call('ZRANGE', '{_WAITING}', 0, -1)) do
  if redis.call('HGET', '{_OWNERS}', key) == ARGV[1] then mine[#mine + 1] = redis.call('HGET', '{_INBOX}', key) end
end
return mine
"""
# The record is kept also for a message that Redis has lost meanwhile, but never twice.
_FINISH = f"""
local key, thread, state = ARGV[1], ARGV[2], ARGV[3]
local seen = redis.call('GET', '{_SEEN}' .. key)
if seen and redis.call('HEXISTS', '{_INBOX}', key) == 0 then return 0 end
redis.call('SET', '{_SEEN}' .. key, state, 'EX', {_REMEMBER_SECONDS})
redis.call('HDEL', '{_INBOX}', key)
redis.call('HDEL', '{_OWNERS}', key)
redis.call('ZREM', '{_WAITING}', key)
redis.call('ZREM', '{_LANE}' .. thread, key)
if ARGV[4] ~= '' then
  redis.call('SET', '{_QUESTION}' .. key, ARGV[4])
  redis.call('ZADD', '{_QUESTIONS}', ARGV[5], key)
  redis.call('SADD', '{_ASKED}' .. ARGV[6], key)
  if ARGV[8] ~= '' then redis.call('HSET', '{_PICKED_FOR}', key, ARGV[8]) end
end
if ARGV[7] ~= '' then redis.call('SET', '{_CONTEXT}' .. thread, ARGV[7], 'EX', {_CONTEXT_SECONDS}) end
return 1
"""
_RENEW = f"""
local held = redis.call('EXISTS', '{_ALIVE}' .. ARGV[1])
redis.call('SET', '{_ALIVE}' .. ARGV[1], '1', 'PX', ARGV[2])
return held
"""
_FORGET = f"""
local gone = 0
for _, key in ipairs(redis.call('SMEMBERS', '{_ASKED}' .. ARGV[1])) do
  gone = gone + redis.call('DEL', '{_QUESTION}' .. key)
  redis.call('HDEL', '{_RATINGS}', key)
  redis.call('HDEL', '{_PICKED_FOR}', key)
  redis.call('ZREM', '{_QUESTIONS}', key)
end
redis.call('DEL', '{_ASKED}' .. ARGV[1])
return gone
"""
_PURGE = f"""
local gone = 0
for _, key in ipairs(redis.call('ZRANGEBYSCORE', '{_QUESTIONS}', '-inf', '(' .. ARGV[1], 'LIMIT', 0, 500)) do
  local text = redis.call('GET', '{_QUESTION}' .. key)
  if text then redis.call('SREM', '{_ASKED}' .. cjson.decode(text).asker, key) end
  redis.call('DEL', '{_QUESTION}' .. key)
  redis.call('HDEL', '{_RATINGS}', key)
  redis.call('HDEL', '{_PICKED_FOR}', key)
  gone = gone + redis.call('ZREM', '{_QUESTIONS}', key)
end
return gone
"""
_RATE = f"""
if redis.call('EXISTS', '{_QUESTION}' .. ARGV[1]) == 1 then redis.call('HSET', '{_RATINGS}', ARGV[1], ARGV[2]) end
"""
# A line is `number|call|text`; the same call repeated after a lost answer is not written twice.
_WRITE_JOURNAL = f"""
local known = redis.call('GET', '{_CLAIM}journal:' .. ARGV[4])
if known then return tonumber(known) end
local number = redis.call('INCR', '{_SEQUENCE}')
redis.call('ZADD', '{_JOURNAL}' .. ARGV[1], ARGV[2], number .. '|' .. ARGV[4] .. '|' .. ARGV[3])
redis.call('SET', '{_CLAIM}journal:' .. ARGV[4], number, 'EX', 60)
return number
"""
# Redis' own clock: the replicas' may differ. Milliseconds.
_RESERVE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free = tonumber(redis.call('GET', '{_SLOT}' .. ARGV[1]) or '0')
local slot = math.max(now, free)
local gap = tonumber(ARGV[2])
redis.call('SET', '{_SLOT}' .. ARGV[1], slot + gap, 'PX', slot + gap - now + 1000)
return slot - now
"""


class RedisStore:
    """See Store. Open with `await RedisStore.open(url)`."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._texts = RedisSharedText(client)
        self._accept = client.register_script(_ACCEPT)
        self._take_over = client.register_script(_TAKE_OVER)
        self._unfinished = client.register_script(_UNFINISHED)
        self._finish = client.register_script(_FINISH)
        self._renew = client.register_script(_RENEW)
        self._forget = client.register_script(_FORGET)
        self._rate = client.register_script(_RATE)
        self._purge = client.register_script(_PURGE)
        self._write_journal = client.register_script(_WRITE_JOURNAL)
        self._reserve = client.register_script(_RESERVE)

    @classmethod
    async def open(cls, url: str) -> RedisStore:
        """Connect and check the layout of the keys. Raises StartError, never showing the URL's password."""
        parts = urlsplit(url)
        shown = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            health_check_interval=15,
            # Reconnects at once after Redis restarted; longer outages are the callers' business.
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        )
        store = cls(redis.Redis(connection_pool=pool))
        try:
            layout = await store._redis.get(_SCHEMA)
            if layout is None:
                await store._redis.set(_SCHEMA, _LAYOUT)
            elif int(layout) > _LAYOUT:
                raise StartError(f"Redis {shown} 里的数据来自更新的版本（{int(layout)}），请升级 faqbot")
        except AuthenticationError as exc:
            await store.close()
            raise StartError(f"Redis {shown} 拒绝了用户名或密码，请核对 FAQBOT_STORE") from exc
        except (RedisError, OSError, ValueError) as exc:
            await store.close()
            raise StartError(
                f"连不上 Redis {shown}（{type(exc).__name__}）：请确认它在运行、FAQBOT_STORE 正确"
            ) from exc
        except StartError:
            await store.close()
            raise
        return store

    # -- the inbox -------------------------------------------------------------------------------

    async def join(self, owner: str, ttl: float) -> None:
        await self.renew(owner, ttl)

    async def renew(self, owner: str, ttl: float) -> bool:
        return bool(await _do(self._renew(args=[owner, _ms(ttl)])))

    async def leave(self, owner: str) -> None:
        await _do(self._redis.delete(_ALIVE + owner))

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        call = f"claimed:{owner}:{secrets.token_hex(6)}"
        args: list[str | float] = [
            *(message.key, call, pack_message(message), owner, message.received_at, message.partition_key)
        ]
        found = await _do(self._accept(args=args))
        if found is None:
            return None
        ahead, said = found
        return Accepted(int(ahead), _context(said, message.received_at))

    async def next_in_thread(self, message: Message) -> bool:
        first = await _do(self._redis.zrange(_LANE + message.partition_key, 0, 0))
        return not first or first[0] == message.key.encode()

    async def take_over(self, owner: str, most: int) -> Sequence[Message]:
        return _messages(await _do(self._take_over(args=[owner, most])))

    async def holds(self, owner: str, message: Message) -> bool:
        holder = await _do(self._redis.hget(_OWNERS, message.key))
        return holder is not None and holder.decode() == owner

    async def unfinished(self, owner: str) -> Sequence[Message]:
        return _messages(await _do(self._unfinished(args=[owner])))

    async def finish(
        self,
        message: Message,
        verdict: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        kept = ""
        if record is not None:
            values = pack_record(record)
            del values["rating"], values["picked_for"]
            kept = json.dumps(values, ensure_ascii=False)
        asked_at, asker = (record.asked_at, record.asker) if record is not None else (0, "")
        shown = pack_context(context) if context is not None else ""
        state = f"{verdict.state}:{verdict.reason}"
        picked_for = record.picked_for if record is not None else ""
        await _do(
            self._finish(args=[message.key, message.partition_key, state, kept, asked_at, asker, shown, picked_for])
        )

    async def backlog(self) -> tuple[int, float]:
        waiting = int(await _do(self._redis.zcard(_WAITING)))
        oldest = await _do(self._redis.zrange(_WAITING, 0, 0, withscores=True))
        return waiting, float(oldest[0][1]) if oldest else 0.0

    # -- what later messages and reports need ----------------------------------------------------

    async def context(self, thread: str, now: float) -> ConversationState | None:
        return _context(await _do(self._redis.get(_CONTEXT + thread)), now)

    async def put_context(self, thread: str, context: ConversationState) -> None:
        await _do(self._redis.set(_CONTEXT + thread, pack_context(context), ex=_CONTEXT_SECONDS))

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        keys = await _do(self._redis.zrangebyscore(_QUESTIONS, since, "+inf"))
        records: list[QuestionRecord] = []
        ratings, picked_for = await self._all(_RATINGS), await self._all(_PICKED_FOR)
        for start in range(0, len(keys), 500):
            part = [k.decode() for k in keys[start : start + 500]]
            texts = await _do(self._redis.mget([_QUESTION + key for key in part]))
            records += [
                QuestionRecord(**json.loads(text), rating=ratings.get(key, ""), picked_for=picked_for.get(key, ""))
                for key, text in zip(part, texts, strict=True)
                if text is not None
            ]
        return records

    async def _all(self, name: str) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in (await _do(self._redis.hgetall(name))).items()}

    async def rate(self, robot_code: str, message_id: str, rating: str) -> None:
        await _do(self._rate(args=[f"{robot_code}|{message_id}", rating]))

    async def forget(self, person: str) -> int:
        gone = int(await _do(self._forget(args=[person])))
        pattern = f"{_CONTEXT}*|{_GLOB.sub(_ESCAPED, person)}"
        cursor = 0
        while True:
            cursor, keys = await _do(self._redis.scan(cursor, match=pattern, count=500))
            if keys:
                await _do(self._redis.delete(*keys))
            if not cursor:
                return gone

    async def purge(self, before: float) -> int:
        gone = 0
        # In small steps: a long script would hold up every replica.
        while part := int(await _do(self._purge(args=[before]))):
            gone += part
        return gone

    # -- small things that workers share ---------------------------------------------------------

    async def claim(self, key: str, ttl: float) -> bool:
        # Known by the call, so that a repeat after a lost answer is not refused its own claim.
        call = secrets.token_hex(6)
        before = await _do(self._redis.set(_CLAIM + key, call, nx=True, px=_ms(ttl), get=True))
        return before is None or before == call.encode()

    async def prolong(self, key: str, ttl: float) -> bool:
        return bool(await _do(self._redis.pexpire(_CLAIM + key, _ms(ttl))))

    async def release(self, key: str) -> None:
        await _do(self._redis.delete(_CLAIM + key))

    async def note(self, key: str) -> str | None:
        text = await _do(self._redis.get(_NOTE + key))
        return text.decode() if text is not None else None

    async def put_note(self, key: str, value: str, ttl: float) -> None:
        await _do(self._redis.set(_NOTE + key, value, px=_ms(ttl)))

    async def reserve(self, key: str, gap: float) -> float:
        return float(await _do(self._reserve(args=[key, _ms(gap)]))) / 1000

    async def count(self, amounts: Mapping[str, int]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, amount in amounts.items():
                pipe.hincrby(_COUNTERS, key, amount)
            await _do(pipe.execute())

    async def counts(self, prefix: str) -> Mapping[str, int]:
        found = await _do(self._redis.hgetall(_COUNTERS))
        return {k.decode(): int(v) for k, v in found.items() if k.decode().startswith(prefix)}

    # -- what people did -------------------------------------------------------------------------

    async def write_journal(self, name: str, at: float, text: str) -> int:
        return int(await _do(self._write_journal(args=[name, at, text, secrets.token_hex(6)])))

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        found = await _do(self._redis.zrangebyscore(_JOURNAL + name, since, "+inf", withscores=True))
        lines = [(int(number), at, text) for (number, _, text), at in ((_three(line), at) for line, at in found)]
        return [JournalLine(*line) for line in sorted(lines, key=lambda line: (line[1], line[0]))]

    async def trim_journal(self, name: str, before: float) -> None:
        await _do(self._redis.zremrangebyscore(_JOURNAL + name, "-inf", f"({before}"))

    async def drop_lines(self, name: str, numbers: Collection[int]) -> None:
        lines = await _do(self._redis.zrange(_JOURNAL + name, 0, -1))
        if gone := [line for line in lines if int(_three(line)[0]) in numbers]:
            await _do(self._redis.zrem(_JOURNAL + name, *gone))

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        if value is None:
            await _do(self._redis.hdel(_MARKS + name, key))
        else:
            await _do(self._redis.hset(_MARKS + name, key, value))

    async def marks(self, name: str) -> Mapping[str, str]:
        found = await _do(self._redis.hgetall(_MARKS + name))
        return {key.decode(): value.decode() for key, value in found.items()}

    # -- knowledge -------------------------------------------------------------------------------

    async def documents(self) -> Mapping[str, bytes]:
        found = await _do(self._redis.hgetall(_DOCUMENTS))
        return {name.decode(): content for name, content in found.items()}

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        mapping: dict[Any, Any] = dict(documents)
        await _do(self._redis.hset(_DOCUMENTS, mapping=mapping))

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        if not keys:
            return {}
        found = await _do(self._redis.hmget(_VECTORS, list(keys)))
        return {key: vector for key, vector in zip(keys, found, strict=True) if vector is not None}

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        if vectors:
            mapping: dict[Any, Any] = dict(vectors)
            await _do(self._redis.hset(_VECTORS, mapping=mapping))

    @property
    def shared_texts(self) -> RedisSharedText:
        return self._texts

    # -- the engine itself -----------------------------------------------------------------------

    async def advice(self) -> Sequence[str]:
        about = await _do(self._redis.info())
        found: list[str] = []
        if int(str(about.get("redis_version", "0")).split(".")[0]) < 7:
            found.append(f"Redis 版本是 {about.get('redis_version')}，请用 7 或更新的版本")
        if not about.get("aof_enabled"):
            found.append("Redis 没有打开 AOF：断电会丢失收下的问题，请设置 appendonly yes")
        if (policy := about.get("maxmemory_policy", "noeviction")) != "noeviction":
            found.append(f"Redis 的 maxmemory-policy 是 {policy}，内存满时会悄悄删数据，请改成 noeviction")
        return found

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.aclose()


def _three(line: bytes) -> list[str]:
    return line.decode().split("|", 2)


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _messages(texts: Sequence[bytes]) -> list[Message]:
    return [unpack_message(text) for text in texts]


def _context(text: bytes | None, now: float) -> ConversationState | None:
    context = unpack_context(text) if text is not None else None
    return context if context is not None and context.last_expiry > now else None
