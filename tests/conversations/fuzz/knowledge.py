"""The knowledge of random orders beside the sample: private and limited entries, and entries that ask back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from faqbot.knowledge.snapshot import Snapshot
from faqbot.markup.blocks import label, line_breaks
from faqbot.model.entries import Entry
from tests.conversations.script import Belongs, Now, Step, Write, read_script

GROUPS = ("全员群", "研发群")
PEOPLE = ("小李", "小王", "小陈", "小赵")

# As a conversation script has it, so that a failing order can be pasted below it. 小赵 is in no department.
SETTING = """\
（现在是 2026-11-25 10:00）
知识 faq/关怀.yaml：
    topic: 员工关怀
    owner: 员工关系组
    private: true
    entries:
      - question: 怎么预约心理咨询？
        also: [压力大睡不着可以找谁聊, 最近情绪很低落怎么办]
        answer: 拨打分机 8333，前六次免费，公司不知道是谁。
      - question: 家里出了急事可以预支工资吗？
        also: [急用钱能不能提前拿一个月工资]
        answer: 可以预支一个月，私下找方老师签字。
      - question: 试管婴儿可以请假吗？
        also: [做试管请假怎么算]
        ask: {city: 您在哪个城市办公？}
        answers:
          上海: 每年五天，凭生殖中心的证明。
          北京: 每年三天，凭门诊的病历。
          else: 请私下问方老师。
知识 faq/研发.yaml：
    topic: 研发须知
    departments: [<部门 研发部>]
    entries:
      - question: 代码评审由谁合并？
        also: [合并请求谁来点, 评审过了谁合代码]
        answer: 由模块负责人在二十四小时内合并。
      - question: 线上故障怎么通报？
        also: [线上出故障了先找谁]
        answer: 先打值班电话 6120，再拉故障群。
      - question: 研发值班补贴多少钱？
        also: [值一次夜班补多少]
        ask: {city: 您在哪个城市办公？}
        answers:
          上海: 一晚三百二十元。
          北京: 一晚二百九十元。
          else: 请问研发助理。
知识 faq/研发群.yaml：
    topic: 研发楼
    groups: [<【研发群】>]
    entries:
      - question: 楼顶花园几点开放？
        also: [楼顶花园什么时候能上去]
        answer: 早上八点到晚上七点，刷蓝色门卡。
      - question: 健身房怎么预约？
        also: [去健身房要提前约吗]
        answer: 前一天在值班台登记，带运动鞋。
知识 faq/园区.yaml：
    topic: 园区生活
    owner: 行政组
    entries:
      - question: 班车几点发车？
        also: [早上的班车是几点, 下班班车几点走]
        ask: {campus: 您在哪个园区？}
        answers:
          东区: 早上七点四十，晚上六点半。
          西区: 早上七点二十，晚上七点。
      - question: 取暖补贴有多少？
        also: [冬天的取暖费公司给多少]
        ask: {city: 您在哪个城市办公？}
        answers:
          上海: 每年三百元。
          北京: 每年一千二百元。
          杭州: 每年二百五十元。
          else: 没有取暖补贴。
      - question: 雨伞在哪里借？
        also: [下雨了没带伞]
        answer: 在一楼服务台登记，三天内还。
小李的部门是「研发部/基础组」
小王的部门是「市场部」
小陈的部门是「研发部」
"""


def steps() -> Iterator[Step]:
    return (step for _, step in read_script(SETTING))


def files() -> Iterator[Write]:
    return (step for step in steps() if isinstance(step, Write))


def memberships() -> Iterator[Belongs]:
    return (step for step in steps() if isinstance(step, Belongs))


def start() -> str:
    return next(step.text for step in steps() if isinstance(step, Now))


@dataclass(frozen=True, slots=True)
class Tells:
    """The texts by which a reader sees that a message names or answers an entry; in no other entry are they found."""

    entry: Entry
    names: tuple[str, ...]
    answers: tuple[str, ...]

    def names_in(self, text: str) -> bool:
        return any(name in text for name in self.names)

    def answers_in(self, text: str) -> bool:
        return any(answer in text for answer in self.answers)


# A shorter line may stand in any message.
_MIN_TELLING_CHARS = 6


def tells_of(snapshot: Snapshot) -> Mapping[str, Tells]:
    """What tells each live entry of a snapshot, by id."""
    live = [e for e in snapshot.entries if not e.draft]
    told = {e.id: Tells(e, (label(e.question),), tuple(_lines(e))) for e in live}
    everything = {id: "\n".join((*t.names, *t.answers, *t.entry.wordings)) for id, t in told.items()}
    return {
        id: Tells(
            t.entry,
            t.names,
            tuple(
                line for line in t.answers if not any(line in text for other, text in everything.items() if other != id)
            ),
        )
        for id, t in told.items()
    }


def _lines(entry: Entry) -> Sequence[str]:
    texts = [entry.answer, *entry.variants.values()]
    lines = (line.strip(" -") for text in texts for line in line_breaks(text).split("\n"))
    return [line for line in lines if len(line) >= _MIN_TELLING_CHARS]
