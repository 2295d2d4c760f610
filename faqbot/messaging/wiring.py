"""Build the bot with its reply sender and its picture uploads."""

from __future__ import annotations

from collections.abc import Mapping

from faqbot.dingtalk.wiring import DingTalkClients
from faqbot.knowledge.wiring import KnowledgeParts
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.bot import Bot
from faqbot.messaging.picture_uploads import PictureUploads
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.commands import CommandHandler, CommandKind
from faqbot.runtime.resources import Resources


def open_bot(
    resources: Resources,
    knowledge: KnowledgeParts,
    dingtalk: DingTalkClients,
    departments: AskerDepartments,
    handlers: Mapping[CommandKind, CommandHandler],
) -> Bot:
    """Build the bot; it takes no message before its inbox is started."""
    store, metrics, clock = resources.store, resources.metrics, resources.clock
    pictures = PictureUploads(knowledge.pictures, dingtalk.api.upload_image, store)
    sender = ReplySender(
        dingtalk.webhook, dingtalk.robot, store, metrics, dingtalk.quota, pictures=pictures.fill_in, clock=clock
    )
    return Bot(
        knowledge.workspace,
        store,
        sender,
        dingtalk.quota,
        metrics,
        knowledge.embeddings,
        departments=departments,
        handlers=handlers,
        keep_days=resources.settings.keep_days,
        group_taps=resources.settings.group_taps,
        admins=resources.settings.admins,
        clock=clock,
    )
