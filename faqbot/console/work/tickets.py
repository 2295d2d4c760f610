"""The section 等同事来答的提问: open tickets, which can be closed without an answer."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from faqbot.access.privacy import withheld
from faqbot.console.web.context import workspace_of
from faqbot.console.web.pages import query, read_form, redirect
from faqbot.console.work.tasks import Item, Section, section
from faqbot.handoff.tickets import Ticket, TicketState, load_tickets, save_ticket
from faqbot.knowledge.editing.workspace import Workspace

PATH = "/tickets"


def add_routes(app: web.Application) -> None:
    app.router.add_post(f"{PATH}/done", done)
    app.router.add_post(f"{PATH}/undone", undone)


async def waiting_tickets(workspace: Workspace) -> Section:
    """Return the open tickets, the oldest first."""
    tickets = [t for t in (await load_tickets(workspace.store)).values() if t.state is TicketState.OPEN]
    items = [_item(ticket, workspace.clock()) for ticket in sorted(tickets, key=lambda t: t.at)]
    return section("tickets", "等同事来答的提问", items)


def _item(ticket: Ticket, now: float) -> Item:
    question = withheld(ticket.topic) if ticket.private else ticket.question
    if ticket.owners_offered:
        owner = f"提问的人还没有选由谁来答（{'、'.join(ticket.owners_offered)}）"
    else:
        owner = f"请了{ticket.owner}" if ticket.owner else "还没有写由谁来答"
    note = f"单号 {ticket.number}，{_ago(now - ticket.at)}，{owner}。负责的同事在钉钉里发「答 {ticket.number}：……」就行"
    return Item(question, note, "", "等回答", "amber", done=(PATH, str(ticket.number)))


def _ago(seconds: float) -> str:
    if seconds < 3600:
        return f"{max(1, int(seconds // 60))} 分钟前"
    return f"{int(seconds // 3600)} 小时前" if seconds < 86400 else f"{int(seconds // 86400)} 天前"


async def done(request: web.Request) -> web.StreamResponse:
    """Close a ticket that somebody took care of in another way."""
    number = await _set(request, TicketState.OPEN, TicketState.CLOSED)
    raise redirect("/" + query({"settled": f"{PATH} {number}"}))


async def undone(request: web.Request) -> web.StreamResponse:
    """Undo: open the ticket again."""
    await _set(request, TicketState.CLOSED, TicketState.OPEN)
    raise redirect("/")


async def settled(workspace: Workspace, key: str) -> bool:
    """Return True if the ticket with this number was closed here."""
    closed = (str(t.number) for t in (await load_tickets(workspace.store)).values() if t.state is TicketState.CLOSED)
    return key in closed


async def _set(request: web.Request, before: TicketState, after: TicketState) -> str:
    workspace, key = workspace_of(request), (await read_form(request)).get("key", "")
    ticket = next((t for t in (await load_tickets(workspace.store)).values() if str(t.number) == key), None)
    if ticket is not None and ticket.state is before:
        await save_ticket(workspace.store, replace(ticket, state=after))
    return key
