"""Redis engine: one Redis (7 or newer) shared by all replicas; multi-key operations run as one script."""

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
from faqbot.store.codec import pack_context, pack_record, unpack_context
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import Accepted, JournalLine
from faqbot.store.redis_errors import execute
from faqbot.store.redis_scripts import (
    ACCEPT_SCRIPT,
    ALIVE,
    CLAIM,
    CONTEXT,
    CONTEXT_SECONDS,
    COUNTERS,
    DOCUMENTS,
    FINISH_SCRIPT,
    FORGET_SCRIPT,
    JOURNAL,
    LANE,
    LAYOUT,
    MARKS,
    NOTE,
    OWNERS,
    PICKED_FOR,
    PURGE_SCRIPT,
    QUESTION,
    QUESTIONS,
    RATE_SCRIPT,
    RATINGS,
    RECLAIM_SCRIPT,
    RENEW_SCRIPT,
    RESERVE_SCRIPT,
    SCHEMA,
    UNFINISHED_SCRIPT,
    VECTORS,
    WAITING,
    WRITE_JOURNAL_SCRIPT,
)
from faqbot.store.redis_shared_text import RedisSharedText

_TIMEOUT_SECONDS = 2.5
_GLOB, _ESCAPED = re.compile(r"([][*?^\\])"), r"\\\1"
_MAX_CONNECTIONS = 64
# Redis reads out about this many vectors in one step of a scan.
_VECTORS_AT_ONCE = 64


class RedisStore:
    """Implements Store. Open with `await RedisStore.open(url)`."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._texts = RedisSharedText(client)
        self._accept = client.register_script(ACCEPT_SCRIPT)
        self._reclaim = client.register_script(RECLAIM_SCRIPT)
        self._unfinished = client.register_script(UNFINISHED_SCRIPT)
        self._finish = client.register_script(FINISH_SCRIPT)
        self._renew = client.register_script(RENEW_SCRIPT)
        self._forget = client.register_script(FORGET_SCRIPT)
        self._rate = client.register_script(RATE_SCRIPT)
        self._purge = client.register_script(PURGE_SCRIPT)
        self._write_journal = client.register_script(WRITE_JOURNAL_SCRIPT)
        self._reserve = client.register_script(RESERVE_SCRIPT)

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
            layout = await store._redis.get(SCHEMA)
            if layout is None:
                await store._redis.set(SCHEMA, LAYOUT)
            elif int(layout) > LAYOUT:
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
        await execute(self._redis.delete(ALIVE + owner))

    async def accept(self, message: Message, owner: str) -> Accepted | None:
        call = f"claimed:{owner}:{secrets.token_hex(6)}"
        args: list[str | float] = [
            *(message.key, call, to_json(message), owner, message.received_at, str(message.partition_key))
        ]
        result = await execute(self._accept(args=args))
        if result is None:
            return None
        ahead, context = result
        return Accepted(int(ahead), _context(context, message.received_at))

    async def is_first_in_partition(self, message: Message) -> bool:
        first = await execute(self._redis.zrange(f"{LANE}{message.partition_key}", 0, 0))
        return not first or first[0] == message.key.encode()

    async def reclaim(self, owner: str, limit: int) -> Sequence[Message]:
        return _messages(await execute(self._reclaim(args=[owner, limit])))

    async def holds(self, owner: str, message: Message) -> bool:
        holder = await execute(self._redis.hget(OWNERS, message.key))
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
        unfinished = int(await execute(self._redis.zcard(WAITING)))
        oldest = await execute(self._redis.zrange(WAITING, 0, 0, withscores=True))
        return unfinished, float(oldest[0][1]) if oldest else 0.0

    # -- dialogue states and question records ----------------------------------------------------

    async def context(self, key: PartitionKey, now: float) -> ConversationState | None:
        return _context(await execute(self._redis.get(f"{CONTEXT}{key}")), now)

    async def put_context(self, key: PartitionKey, context: ConversationState) -> None:
        await execute(self._redis.set(f"{CONTEXT}{key}", pack_context(context), ex=CONTEXT_SECONDS))

    async def questions(self, since: float) -> Sequence[QuestionRecord]:
        keys = await execute(self._redis.zrangebyscore(QUESTIONS, since, "+inf"))
        records: list[QuestionRecord] = []
        ratings, picked_for = await self._all(RATINGS), await self._all(PICKED_FOR)
        for start in range(0, len(keys), 500):
            part = [k.decode() for k in keys[start : start + 500]]
            texts = await execute(self._redis.mget([QUESTION + key for key in part]))
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
        pattern = f"{CONTEXT}*|{_GLOB.sub(_ESCAPED, person)}"
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
        before = await execute(self._redis.set(CLAIM + key, call, nx=True, px=_ms(ttl), get=True))
        return before is None or before == call.encode()

    async def prolong(self, key: str, ttl: float) -> bool:
        return bool(await execute(self._redis.pexpire(CLAIM + key, _ms(ttl))))

    async def release(self, key: str) -> None:
        await execute(self._redis.delete(CLAIM + key))

    async def note(self, key: str) -> str | None:
        text = await execute(self._redis.get(NOTE + key))
        return text.decode() if text is not None else None

    async def put_note(self, key: str, value: str, ttl: float) -> None:
        await execute(self._redis.set(NOTE + key, value, px=_ms(ttl)))

    async def reserve(self, key: str, gap: float) -> float:
        return float(await execute(self._reserve(args=[key, _ms(gap)]))) / 1000

    async def count(self, amounts: Mapping[str, int]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, amount in amounts.items():
                pipe.hincrby(COUNTERS, key, amount)
            await execute(pipe.execute())

    async def counts(self, prefix: str) -> Mapping[str, int]:
        counters = await execute(self._redis.hgetall(COUNTERS))
        return {k.decode(): int(v) for k, v in counters.items() if k.decode().startswith(prefix)}

    # -- journals and marks ----------------------------------------------------------------------

    async def write_journal(self, name: str, at: float, text: str) -> int:
        return int(await execute(self._write_journal(args=[name, at, text, secrets.token_hex(6)])))

    async def journal(self, name: str, since: float) -> Sequence[JournalLine]:
        scored = await execute(self._redis.zrangebyscore(JOURNAL + name, since, "+inf", withscores=True))
        lines = [_journal_line(member, at) for member, at in scored]
        return sorted(lines, key=lambda line: (line.at, line.number))

    async def trim_journal(self, name: str, before: float) -> None:
        await execute(self._redis.zremrangebyscore(JOURNAL + name, "-inf", f"({before}"))

    async def delete_lines(self, name: str, numbers: Collection[int]) -> None:
        members = await execute(self._redis.zrange(JOURNAL + name, 0, -1))
        if deleted := [member for member in members if _journal_line(member).number in numbers]:
            await execute(self._redis.zrem(JOURNAL + name, *deleted))

    async def put_mark(self, name: str, key: str, value: str | None) -> None:
        if value is None:
            await execute(self._redis.hdel(MARKS + name, key))
        else:
            await execute(self._redis.hset(MARKS + name, key, value))

    async def marks(self, name: str) -> Mapping[str, str]:
        marks = await execute(self._redis.hgetall(MARKS + name))
        return {key.decode(): value.decode() for key, value in marks.items()}

    # -- knowledge -------------------------------------------------------------------------------

    async def documents(self) -> Mapping[str, bytes]:
        files = await execute(self._redis.hgetall(DOCUMENTS))
        return {name.decode(): content for name, content in files.items()}

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        mapping: dict[Any, Any] = dict(documents)
        await execute(self._redis.hset(DOCUMENTS, mapping=mapping))

    async def vectors(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        if not keys:
            return {}
        vectors = await execute(self._redis.hmget(VECTORS, list(keys)))
        return {key: vector for key, vector in zip(keys, vectors, strict=True) if vector is not None}

    async def put_vectors(self, vectors: Mapping[str, bytes]) -> None:
        if vectors:
            mapping: dict[Any, Any] = dict(vectors)
            await execute(self._redis.hset(VECTORS, mapping=mapping))

    async def vector_keys(self) -> Sequence[str]:
        keys: list[str] = []
        cursor = 0
        while True:
            # All keys at once would keep the event loop busy while they are read.
            cursor, found = await execute(self._redis.hscan(VECTORS, cursor, count=_VECTORS_AT_ONCE))
            keys += [key.decode() for key in found]
            if not cursor:
                return list(dict.fromkeys(keys))

    async def drop_vectors(self, keys: Sequence[str]) -> None:
        if keys:
            await execute(self._redis.hdel(VECTORS, *keys))

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
    return [from_json(Message, text) for text in texts]


def _context(text: bytes | None, now: float) -> ConversationState | None:
    context = unpack_context(text) if text is not None else None
    return context if context is not None and context.last_expiry > now else None
