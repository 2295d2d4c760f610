"""The shared engine: one Redis (7 or newer) for all replicas. All key names and scripts are here.

A step on several keys is one script, so it happens whole or not at all. The client may repeat a script whose answer was
lost: each is written so that a repeat changes nothing.
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
from faqbot.model.messages import DeliveryResult, Message, PartitionKey
from faqbot.model.question_log import QuestionRecord
from faqbot.store.codec import pack_context, pack_message, pack_record, unpack_context, unpack_message
from faqbot.store.protocol import Accepted, JournalLine
from faqbot.store.redis_errors import execute
from faqbot.store.redis_shared_text import RedisSharedText

# The layout of the keys. A change that this version cannot read needs a higher number and a migration.
_LAYOUT = 1
_P = "faqbot:"
_SCHEMA = f"{_P}layout"
_INBOX = f"{_P}inbox"  # hash: message key -> the message as JSON, until it is finished
_OWNERS = f"{_P}owners"  # hash: message key -> owner, the worker that claimed it
_WAITING = f"{_P}waiting"  # sorted set: unfinished message keys by the time they were received
_SEQUENCE = f"{_P}sequence"  # counter: order of acceptance
_SEEN = f"{_P}seen:"  # string per message: its owner and the call that claimed it, later its last state
_LANE = f"{_P}lane:"  # sorted set per partition: its unfinished message keys in order of acceptance
_ALIVE = f"{_P}alive:"  # string per worker: its lease
# Not `context:`, which versions before this layout read differently; one may be running beside this one.
_CONTEXT = f"{_P}said:"
_QUESTION = f"{_P}question:"  # string per question: the record as JSON
# hashes: message key -> rating, message key -> message whose list was picked from. They are not in the record, which an
# earlier version that runs beside this one must be able to read.
_RATINGS, _PICKED_FOR = f"{_P}ratings", f"{_P}picked-for"
_QUESTIONS = f"{_P}questions"  # sorted set: message keys by the time they were asked
_ASKED = f"{_P}asked:"  # set per person: message keys
_CLAIM, _NOTE, _SLOT = f"{_P}claim:", f"{_P}note:", f"{_P}slot:"
_JOURNAL = f"{_P}journal:"  # sorted set per journal: its lines by time
_MARKS = f"{_P}marks:"  # hash per name
_COUNTERS, _DOCUMENTS, _VECTORS = f"{_P}counters", f"{_P}documents", f"{_P}vectors"

# A finished message is recognised for this long; DingTalk repeats messages within minutes.
_REMEMBER_SECONDS = 7 * 86400
# Dialogue states expire long before; this only deletes them.
_CONTEXT_SECONDS = 3600
_TIMEOUT_SECONDS = 2.5
_GLOB, _ESCAPED = re.compile(r"([][*?^\\])"), r"\\\1"
_MAX_CONNECTIONS = 64

# Returns nothing for a message that was accepted before, else the number of unfinished messages of the partition before
# it, and the dialogue state. The claim holds the id of the call, so that the same call repeated gets the same answer.
_ACCEPT = f"""
local key, call = ARGV[1], ARGV[2]
local seen = redis.call('SET', '{_SEEN}' .. key, call, 'NX', 'GET', 'EX', {_REMEMBER_SECONDS})
if seen and seen ~= call then return false end
local lane = '{_LANE}' .. ARGV[6]
local context = redis.call('GET', '{_CONTEXT}' .. ARGV[6])
if seen then return {{redis.call('ZRANK', lane, key) or 0, context}} end
local ahead = redis.call('ZCARD', lane)
redis.call('HSET', '{_INBOX}', key, ARGV[3])
redis.call('HSET', '{_OWNERS}', key, ARGV[4])
redis.call('ZADD', '{_WAITING}', ARGV[5], key)
redis.call('ZADD', lane, redis.call('INCR', '{_SEQUENCE}'), key)
return {{ahead, context}}
"""
_RECLAIM = f"""
local me, limit, claimed, alive = ARGV[1], tonumber(ARGV[2]), {{}}, {{}}
for _, key in ipairs(redis.call('ZRANGE', '{_WAITING}', 0, -1)) do
  if #claimed >= limit then break end
  local owner = redis.call('HGET', '{_OWNERS}', key) or ''
  if alive[owner] == nil then
    alive[owner] = owner == me or (owner ~= '' and redis.call('EXISTS', '{_ALIVE}' .. owner) == 1)
  end
  if not alive[owner] then
    redis.call('HSET', '{_OWNERS}', key, me)
    claimed[#claimed + 1] = redis.call('HGET', '{_INBOX}', key)
  end
end
return claimed
"""
_UNFINISHED = f"""
local mine = {{}}
for _, key in ipairs(redis.call('ZRANGE', '{_WAITING}', 0, -1)) do
  if redis.call('HGET', '{_OWNERS}', key) == ARGV[1] then mine[#mine + 1] = redis.call('HGET', '{_INBOX}', key) end
end
return mine
"""
# The record is stored even if Redis has lost the message meanwhile, but never twice.
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
# A line is `number|call|text`. A call that is repeated after a lost answer is not written twice.
_WRITE_JOURNAL = f"""
local known = redis.call('GET', '{_CLAIM}journal:' .. ARGV[4])
if known then return tonumber(known) end
local number = redis.call('INCR', '{_SEQUENCE}')
redis.call('ZADD', '{_JOURNAL}' .. ARGV[1], ARGV[2], number .. '|' .. ARGV[4] .. '|' .. ARGV[3])
redis.call('SET', '{_CLAIM}journal:' .. ARGV[4], number, 'EX', 60)
return number
"""
# By the clock of Redis, as those of the replicas may differ. Times are milliseconds.
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
    """Implements Store. Open with `await RedisStore.open(url)`."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._texts = RedisSharedText(client)
        self._accept = client.register_script(_ACCEPT)
        self._reclaim = client.register_script(_RECLAIM)
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
        """Connect and check the layout of the keys. Raises StartError, without the URL's password in its text."""
        parts = urlsplit(url)
        address = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            health_check_interval=15,
            # Reconnects at once after Redis restarted; callers deal with longer outages.
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        )
        store = cls(redis.Redis(connection_pool=pool))
        try:
            layout = await store._redis.get(_SCHEMA)
            if layout is None:
                await store._redis.set(_SCHEMA, _LAYOUT)
            elif int(layout) > _LAYOUT:
                raise StartError(f"Redis {address} 里的数据来自更新的版本（{int(layout)}），请升级 faqbot")
        except AuthenticationError as exc:
            await store.close()
            raise StartError(f"Redis {address} 拒绝了用户名或密码，请核对 FAQBOT_STORE") from exc
        except (RedisError, OSError, ValueError) as exc:
            await store.close()
            raise StartError(
                f"连不上 Redis {address}（{type(exc).__name__}）：请确认它在运行、FAQBOT_STORE 正确"
            ) from exc
        except StartError:
            await store.close()
            raise
        return store

    # -- the inbox -------------------------------------------------------------------------------

    async def join(self, owner: str, ttl: float) -> None:
        await self.renew(owner, ttl)

    async def renew(self, owner: str, ttl: float) -> bool:
        return bool(await execute(self._renew(args=[owner, _ms(ttl)])))

    async def leave(self, owner: str) -> None:
        await execute(self._redis.delete(_ALIVE + owner))

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        call = f"claimed:{owner}:{secrets.token_hex(6)}"
        args: list[str | float] = [
            *(message.key, call, pack_message(message), owner, message.received_at, str(message.partition_key))
        ]
        result = await execute(self._accept(args=args))
        if result is None:
            return None
        ahead, context = result
        return Accepted(int(ahead), _context(context, message.received_at))

    async def is_first_in_partition(self, message: Message) -> bool:
        first = await execute(self._redis.zrange(f"{_LANE}{message.partition_key}", 0, 0))
        return not first or first[0] == message.key.encode()

    async def reclaim(self, owner: str, limit: int) -> Sequence[Message]:
        return _messages(await execute(self._reclaim(args=[owner, limit])))

    async def holds(self, owner: str, message: Message) -> bool:
        holder = await execute(self._redis.hget(_OWNERS, message.key))
        return holder is not None and holder.decode() == owner

    async def unfinished(self, owner: str) -> Sequence[Message]:
        return _messages(await execute(self._unfinished(args=[owner])))

    async def finish(
        self,
        message: Message,
        result: DeliveryResult,
        record: QuestionRecord | None,
        context: ConversationState | None,
    ) -> None:
        record_text = ""
        if record is not None:
            values = pack_record(record)
            del values["rating"], values["picked_for"]
            record_text = json.dumps(values, ensure_ascii=False)
        asked_at, asker = (record.asked_at, record.asker) if record is not None else (0, "")
        context_text = pack_context(context) if context is not None else ""
        state = f"{result.state}:{result.reason}"
        picked_for = record.picked_for if record is not None else ""
        args = (message.key, str(message.partition_key), state, record_text, asked_at, asker, context_text, picked_for)
        await execute(self._finish(args=args))

    async def backlog(self) -> tuple[int, float]:
        unfinished = int(await execute(self._redis.zcard(_WAITING)))
        oldest = await execute(self._redis.zrange(_WAITING, 0, 0, withscores=True))
        return unfinished, float(oldest[0][1]) if oldest else 0.0

    # -- dialogue states and question records ----------------------------------------------------

    async def context(self, key: PartitionKey, now: float) -> ConversationState | None:
        return _context(await execute(self._redis.get(f"{_CONTEXT}{key}")), now)

    async def put_context(self, key: PartitionKey, context: ConversationState) -> None:
        await execute(self._redis.set(f"{_CONTEXT}{key}", pack_context(context), ex=_CONTEXT_SECONDS))

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        keys = await execute(self._redis.zrangebyscore(_QUESTIONS, since, "+inf"))
        records: list[QuestionRecord] = []
        ratings, picked_for = await self._all(_RATINGS), await self._all(_PICKED_FOR)
        for start in range(0, len(keys), 500):
            part = [k.decode() for k in keys[start : start + 500]]
            texts = await execute(self._redis.mget([_QUESTION + key for key in part]))
            records += [
                QuestionRecord(**json.loads(text), rating=ratings.get(key, ""), picked_for=picked_for.get(key, ""))
                for key, text in zip(part, texts, strict=True)
                if text is not None
            ]
        return records

    async def _all(self, name: str) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in (await execute(self._redis.hgetall(name))).items()}

    async def rate(self, robot_code: str, message_id: str, rating: str) -> None:
        await execute(self._rate(args=[f"{robot_code}|{message_id}", rating]))

    async def forget(self, person: str) -> int:
        deleted = int(await execute(self._forget(args=[person])))
        # The asker is the last part of a stored PartitionKey.
        pattern = f"{_CONTEXT}*|{_GLOB.sub(_ESCAPED, person)}"
        cursor = 0
        while True:
            cursor, keys = await execute(self._redis.scan(cursor, match=pattern, count=500))
            if keys:
                await execute(self._redis.delete(*keys))
            if not cursor:
                return deleted

    async def purge(self, before: float) -> int:
        deleted = 0
        # In small steps, as a long script would block every replica.
        while part := int(await execute(self._purge(args=[before]))):
            deleted += part
        return deleted

    # -- claims, notes, slots, counters ----------------------------------------------------------

    async def claim(self, key: str, ttl: float) -> bool:
        # The claim holds the id of the call, so that a repeat after a lost answer is not refused its own claim.
        call = secrets.token_hex(6)
        before = await execute(self._redis.set(_CLAIM + key, call, nx=True, px=_ms(ttl), get=True))
        return before is None or before == call.encode()

    async def prolong(self, key: str, ttl: float) -> bool:
        return bool(await execute(self._redis.pexpire(_CLAIM + key, _ms(ttl))))

    async def release(self, key: str) -> None:
        await execute(self._redis.delete(_CLAIM + key))

    async def note(self, key: str) -> str | None:
        text = await execute(self._redis.get(_NOTE + key))
        return text.decode() if text is not None else None

    async def put_note(self, key: str, value: str, ttl: float) -> None:
        await execute(self._redis.set(_NOTE + key, value, px=_ms(ttl)))

    async def reserve(self, key: str, gap: float) -> float:
        return float(await execute(self._reserve(args=[key, _ms(gap)]))) / 1000

    async def count(self, amounts: Mapping[str, int]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, amount in amounts.items():
                pipe.hincrby(_COUNTERS, key, amount)
            await execute(pipe.execute())

    async def counts(self, prefix: str) -> Mapping[str, int]:
        counters = await execute(self._redis.hgetall(_COUNTERS))
        return {k.decode(): int(v) for k, v in counters.items() if k.decode().startswith(prefix)}

    # -- journals and marks ----------------------------------------------------------------------

    async def write_journal(self, name: str, at: float, text: str) -> int:
        return int(await execute(self._write_journal(args=[name, at, text, secrets.token_hex(6)])))

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        scored = await execute(self._redis.zrangebyscore(_JOURNAL + name, since, "+inf", withscores=True))
        lines = [_journal_line(member, at) for member, at in scored]
        return sorted(lines, key=lambda line: (line.at, line.number))

    async def trim_journal(self, name: str, before: float) -> None:
        await execute(self._redis.zremrangebyscore(_JOURNAL + name, "-inf", f"({before}"))

    async def delete_lines(self, name: str, numbers: Collection[int]) -> None:
        members = await execute(self._redis.zrange(_JOURNAL + name, 0, -1))
        if deleted := [member for member in members if _journal_line(member).number in numbers]:
            await execute(self._redis.zrem(_JOURNAL + name, *deleted))

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        if value is None:
            await execute(self._redis.hdel(_MARKS + name, key))
        else:
            await execute(self._redis.hset(_MARKS + name, key, value))

    async def marks(self, name: str) -> Mapping[str, str]:
        marks = await execute(self._redis.hgetall(_MARKS + name))
        return {key.decode(): value.decode() for key, value in marks.items()}

    # -- knowledge -------------------------------------------------------------------------------

    async def documents(self) -> Mapping[str, bytes]:
        files = await execute(self._redis.hgetall(_DOCUMENTS))
        return {name.decode(): content for name, content in files.items()}

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        mapping: dict[Any, Any] = dict(documents)
        await execute(self._redis.hset(_DOCUMENTS, mapping=mapping))

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        if not keys:
            return {}
        vectors = await execute(self._redis.hmget(_VECTORS, list(keys)))
        return {key: vector for key, vector in zip(keys, vectors, strict=True) if vector is not None}

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        if vectors:
            mapping: dict[Any, Any] = dict(vectors)
            await execute(self._redis.hset(_VECTORS, mapping=mapping))

    @property
    def shared_texts(self) -> RedisSharedText:
        return self._texts

    # -- the engine itself -----------------------------------------------------------------------

    async def advice(self) -> Sequence[str]:
        info = await execute(self._redis.info())
        advice: list[str] = []
        if int(str(info.get("redis_version", "0")).split(".")[0]) < 7:
            advice.append(f"Redis 版本是 {info.get('redis_version')}，请用 7 或更新的版本")
        if not info.get("aof_enabled"):
            advice.append("Redis 没有打开 AOF：断电会丢失收下的问题，请设置 appendonly yes")
        if (policy := info.get("maxmemory_policy", "noeviction")) != "noeviction":
            advice.append(f"Redis 的 maxmemory-policy 是 {policy}，内存满时会悄悄删数据，请改成 noeviction")
        return advice

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.aclose()


def _journal_line(member: bytes, at: float = 0.0) -> JournalLine:
    number, _, text = member.decode().split("|", 2)
    return JournalLine(int(number), at, text)


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _messages(texts: Sequence[bytes]) -> list[Message]:
    return [unpack_message(text) for text in texts]


def _context(text: bytes | None, now: float) -> ConversationState | None:
    context = unpack_context(text) if text is not None else None
    return context if context is not None and context.last_expiry > now else None
