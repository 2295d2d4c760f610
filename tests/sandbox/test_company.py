"""The sandbox's own company: everybody who can speak there is in the contacts, with a team and a supervisor."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import aiohttp

from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.model.org_chart import ROOT, teams
from faqbot.sandbox.company import HR, create_company
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.opening import open_store
from tests.company import open_api


async def test_everybody_has_a_department_and_the_teams_have_supervisors(ding: FakeDingTalk, tmp_path: Path) -> None:
    guest = ding.world.person("外部顾问", external=True)
    hr = create_company(ding, [("休假组", "hr-leave")])
    store = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    async with aiohttp.ClientSession() as session:
        directory = ContactsCache(open_api(ding, session, store), store)
        people = await directory.people_below([ROOT])
        found = teams(people, await directory.tree())
        names = {person.userid: person.name for person in people}
    await store.close()
    assert {names[userid]: {p.name for p in team} for userid, team in found.of.items()} == {
        "老周": {"小李", "小陈"},
        "孙经理": {"小王"},
        "张姐": {"休假组"},
    }
    assert guest.id not in names and set(ding.world.people) == {*names, guest.id}
    assert ding.world.people[hr].name == HR and hr in ding.attendance.admins


def test_its_days_off_are_the_public_holidays(ding: FakeDingTalk) -> None:
    create_company(ding)
    works = ding.attendance.workdays.works
    assert not works(date(2026, 10, 1)) and works(date(2026, 10, 10)) and works(date(2026, 10, 12))
    assert works(date(2199, 1, 1)) and not works(date(2199, 1, 5))
