"""What is older than the records are kept goes, whoever it was about."""

from __future__ import annotations

import asyncio
import time
from datetime import date

from faqbot.app.maintenance import Maintenance
from faqbot.automation.run_log import RUNS_JOURNAL
from faqbot.dingtalk.api.quota import Quota
from faqbot.handoff.tickets import NUMBER_JOURNAL, next_ticket_number
from faqbot.model.notices import Address
from faqbot.outbox.queued_notice import FAILED_NOTICES, SendFailure
from faqbot.runtime.metrics import Metrics
from faqbot.store.json_records import to_json
from faqbot.store.protocol import Store

DAY = 86400.0


async def test_old_lines_about_jobs_notices_and_tickets_are_deleted(store: Store) -> None:
    now = time.time()
    failed = to_json(SendFailure("单号 3：有人等您来答", Address("person", "zhang01"), "invalid_staff", "不在可见范围"))
    for age in (31 * DAY, 29 * DAY):
        await store.write_journal(RUNS_JOURNAL, now - age, "{}")
        await store.write_journal(FAILED_NOTICES, now - age, failed)
        last = await next_ticket_number(store, now - age, "r|m")
    quota = Quota(store, Metrics(), calls=10, messages=10, today=lambda: date(2026, 3, 2))
    house = asyncio.create_task(Maintenance(store, quota, 30).run())
    async with asyncio.timeout(60):
        for journal in (RUNS_JOURNAL, FAILED_NOTICES, NUMBER_JOURNAL):
            while len(await store.journal(journal, 0.0)) > 1:
                await asyncio.sleep(0.01)
    house.cancel()
    await asyncio.wait({house})
    await store.trim_journal(NUMBER_JOURNAL, now)
    assert await next_ticket_number(store, now, "r|m") > last, "a number is not used again"
