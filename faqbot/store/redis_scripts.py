"""Key names and Lua scripts of the Redis engine, except those of the shared text.

The client may repeat a script whose answer was lost, so each is written so that a repeat changes nothing.
"""

from __future__ import annotations

# The layout of the keys. A change that this version cannot read needs a higher number and a migration.
LAYOUT = 1
_P = "faqbot:"
SCHEMA = f"{_P}layout"
INBOX = f"{_P}inbox"  # hash: message key -> the message as JSON, until it is finished
OWNERS = f"{_P}owners"  # hash: message key -> owner, the worker that claimed it
WAITING = f"{_P}waiting"  # sorted set: unfinished message keys by the time they were received
SEQUENCE = f"{_P}sequence"  # counter: order of acceptance
SEEN = f"{_P}seen:"  # string per message: its owner and the call that claimed it, later its last state
LANE = f"{_P}lane:"  # sorted set per partition: its unfinished message keys in order of acceptance
ALIVE = f"{_P}alive:"  # string per worker: its lease
# Not `context:`, which versions before this layout read differently; one may be running beside this one.
CONTEXT = f"{_P}said:"
QUESTION = f"{_P}question:"  # string per question: the record as JSON
# hashes: message key -> rating, message key -> message whose list was picked from. They are not in the record, which an
# earlier version that runs beside this one must be able to read.
RATINGS, PICKED_FOR = f"{_P}ratings", f"{_P}picked-for"
QUESTIONS = f"{_P}questions"  # sorted set: message keys by the time they were asked
ASKED = f"{_P}asked:"  # set per person: message keys
CLAIM, NOTE, SLOT = f"{_P}claim:", f"{_P}note:", f"{_P}slot:"
JOURNAL = f"{_P}journal:"  # sorted set per journal: its lines by time
MARKS = f"{_P}marks:"  # hash per name
COUNTERS, DOCUMENTS, VECTORS = f"{_P}counters", f"{_P}documents", f"{_P}vectors"

# A finished message is recognised for this long; DingTalk repeats messages within minutes.
REMEMBER_SECONDS = 7 * 86400
# Dialogue states expire long before; this only deletes them.
CONTEXT_SECONDS = 3600

# Returns nothing for a message that was accepted before, else the number of unfinished messages of the partition before
# it, and the dialogue state. The claim holds the id of the call, so that the same call repeated gets the same answer.
ACCEPT_SCRIPT = f"""
local key, call = ARGV[1], ARGV[2]
local seen = redis.call('SET', '{SEEN}' .. key, call, 'NX', 'GET', 'EX', {REMEMBER_SECONDS})
if seen and seen ~= call then return false end
local lane = '{LANE}' .. ARGV[6]
local context = redis.call('GET', '{CONTEXT}' .. ARGV[6])
if seen then return {{redis.call('ZRANK', lane, key) or 0, context}} end
local ahead = redis.call('ZCARD', lane)
redis.call('HSET', '{INBOX}', key, ARGV[3])
redis.call('HSET', '{OWNERS}', key, ARGV[4])
redis.call('ZADD', '{WAITING}', ARGV[5], key)
redis.call('ZADD', lane, redis.call('INCR', '{SEQUENCE}'), key)
return {{ahead, context}}
"""
RECLAIM_SCRIPT = f"""
local me, limit, claimed, alive = ARGV[1], tonumber(ARGV[2]), {{}}, {{}}
for _, key in ipairs(redis.call('ZRANGE', '{WAITING}', 0, -1)) do
  if #claimed >= limit then break end
  local owner = redis.call('HGET', '{OWNERS}', key) or ''
  if alive[owner] == nil then
    alive[owner] = owner == me or (owner ~= '' and redis.call('EXISTS', '{ALIVE}' .. owner) == 1)
  end
  if not alive[owner] then
    redis.call('HSET', '{OWNERS}', key, me)
    claimed[#claimed + 1] = redis.call('HGET', '{INBOX}', key)
  end
end
return claimed
"""
UNFINISHED_SCRIPT = f"""
local mine = {{}}
for _, key in ipairs(redis.call('ZRANGE', '{WAITING}', 0, -1)) do
  if redis.call('HGET', '{OWNERS}', key) == ARGV[1] then mine[#mine + 1] = redis.call('HGET', '{INBOX}', key) end
end
return mine
"""
# The record is stored even if Redis has lost the message meanwhile, but never twice.
FINISH_SCRIPT = f"""
local key, partition, state = ARGV[1], ARGV[2], ARGV[3]
local seen = redis.call('GET', '{SEEN}' .. key)
if seen and redis.call('HEXISTS', '{INBOX}', key) == 0 then return 0 end
redis.call('SET', '{SEEN}' .. key, state, 'EX', {REMEMBER_SECONDS})
redis.call('HDEL', '{INBOX}', key)
redis.call('HDEL', '{OWNERS}', key)
redis.call('ZREM', '{WAITING}', key)
redis.call('ZREM', '{LANE}' .. partition, key)
if ARGV[4] ~= '' then
  redis.call('SET', '{QUESTION}' .. key, ARGV[4])
  redis.call('ZADD', '{QUESTIONS}', ARGV[5], key)
  redis.call('SADD', '{ASKED}' .. ARGV[6], key)
  if ARGV[8] ~= '' then redis.call('HSET', '{PICKED_FOR}', key, ARGV[8]) end
end
if ARGV[7] ~= '' then redis.call('SET', '{CONTEXT}' .. partition, ARGV[7], 'EX', {CONTEXT_SECONDS}) end
return 1
"""
RENEW_SCRIPT = f"""
local held = redis.call('EXISTS', '{ALIVE}' .. ARGV[1])
redis.call('SET', '{ALIVE}' .. ARGV[1], '1', 'PX', ARGV[2])
return held
"""
FORGET_SCRIPT = f"""
local gone = 0
for _, key in ipairs(redis.call('SMEMBERS', '{ASKED}' .. ARGV[1])) do
  gone = gone + redis.call('DEL', '{QUESTION}' .. key)
  redis.call('HDEL', '{RATINGS}', key)
  redis.call('HDEL', '{PICKED_FOR}', key)
  redis.call('ZREM', '{QUESTIONS}', key)
end
redis.call('DEL', '{ASKED}' .. ARGV[1])
return gone
"""
PURGE_SCRIPT = f"""
local gone = 0
for _, key in ipairs(redis.call('ZRANGEBYSCORE', '{QUESTIONS}', '-inf', '(' .. ARGV[1], 'LIMIT', 0, 500)) do
  local text = redis.call('GET', '{QUESTION}' .. key)
  if text then redis.call('SREM', '{ASKED}' .. cjson.decode(text).asker, key) end
  redis.call('DEL', '{QUESTION}' .. key)
  redis.call('HDEL', '{RATINGS}', key)
  redis.call('HDEL', '{PICKED_FOR}', key)
  gone = gone + redis.call('ZREM', '{QUESTIONS}', key)
end
return gone
"""
RATE_SCRIPT = f"""
if redis.call('EXISTS', '{QUESTION}' .. ARGV[1]) == 1 then redis.call('HSET', '{RATINGS}', ARGV[1], ARGV[2]) end
"""
# A line is `number|call|text`. A call that is repeated after a lost answer is not written twice.
WRITE_JOURNAL_SCRIPT = f"""
local known = redis.call('GET', '{CLAIM}journal:' .. ARGV[4])
if known then return tonumber(known) end
local number = redis.call('INCR', '{SEQUENCE}')
redis.call('ZADD', '{JOURNAL}' .. ARGV[1], ARGV[2], number .. '|' .. ARGV[4] .. '|' .. ARGV[3])
redis.call('SET', '{CLAIM}journal:' .. ARGV[4], number, 'EX', 60)
return number
"""
# By the clock of Redis, as those of the replicas may differ. Times are milliseconds.
RESERVE_SCRIPT = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free = tonumber(redis.call('GET', '{SLOT}' .. ARGV[1]) or '0')
local slot = math.max(now, free)
local gap = tonumber(ARGV[2])
redis.call('SET', '{SLOT}' .. ARGV[1], slot + gap, 'PX', slot + gap - now + 1000)
return slot - now
"""
