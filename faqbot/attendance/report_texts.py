"""Message texts of the attendance report: for the group, for supervisors, and for HR. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo

from faqbot.attendance.month import ABSENT, Incident, MonthReport, PersonMonth, Totals
from faqbot.markup.escaping import escape_markdown
from faqbot.model.org_chart import Employee, Tree

# Stands for `ABSENT` if approvals are not known: the day may be leave, so nobody is accused.
UNKNOWN_ABSENT = "整天没有打卡"
_MAX_INCIDENTS = 6


def format_amount(number: float) -> str:
    """Return a number as people write it: 1.5, 2, 0.25."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def period_in_words(report: MonthReport) -> str:
    """Return `2026 年 10 月`, with the days if the report has only a part of the month."""
    month = f"{report.first.year} 年 {report.first.month} 月"
    following = date(report.first.year + report.first.month // 12, report.first.month % 12 + 1, 1)
    whole = report.first.day == 1 and (following - report.last).days == 1
    return month if whole else f"{month}（{report.first.day}～{report.last.day} 日）"


def group_summary(report: MonthReport, tree: Tree, *, ask: bool) -> str:
    """Return the totals of all and of each department, without names; `ask` adds a request to confirm."""
    total = report.totals
    lines = [
        f"### {period_in_words(report)}考勤汇总",
        f"共 **{total.people}** 人，应出勤 {total.shifts} 人天，出勤 {total.present} 人天。",
        "\n".join(f"- {line}" for line in _counts(total, report.approvals_known, bold=True)),
    ]
    departments = report.by_department()
    if len(departments) > 1:
        lines.append("**各部门**")
        ordered = sorted(departments.items(), key=lambda item: tree.path(item[0]))
        lines.append(
            "\n".join(
                f"- {escape_markdown(tree.path(dept_id))}（{t.people} 人）：{_one_line(t, report.approvals_known)}"
                for dept_id, t in ordered
            )
        )
    lines += _remarks(report)
    if ask:
        lines.append("请各位主管核对私聊里自己团队的明细：没有问题就回复“确认”（在群里要 @我），有问题请联系 HR。")
    return "\n\n".join(lines)


def team_summary(report: MonthReport, team: Sequence[Employee], timezone: tzinfo) -> str:
    """Return the points that a supervisor is to check about the own team, day by day."""
    userids = {person.userid for person in team}
    months = [p for p in report.persons if p.person.userid in userids]
    total = sum((p.totals for p in months), Totals())
    lines = [
        f"### {period_in_words(report)}考勤：您的团队",
        f"共 {len(months)} 人。{_one_line(total, report.approvals_known)}。",
    ]
    notable = [p for p in months if p.incidents or p.totals.leave or p.totals.trip or p.totals.overtime]
    if notable:
        lines.append("\n".join(f"- {_person_in_words(p, report.approvals_known, timezone)}" for p in notable))
    if len(months) > len(notable):
        lines.append(f"{'其余' if notable else '这'} {len(months) - len(notable)} 人都正常。")
    lines += _remarks(report)
    lines.append("核对无误请回复“确认”；有问题请联系 HR。")
    return "\n\n".join(lines)


def hr_summary(
    report: MonthReport, alone: Sequence[Employee], supervisors: Mapping[str, str], notes: Sequence[str]
) -> str:
    """Return facts for HR besides the file: who was asked to confirm, who has no supervisor, what is uncertain."""
    total = report.totals
    lines = [
        f"### {period_in_words(report)}考勤报表",
        f"共 {total.people} 人。{_one_line(total, report.approvals_known)}。明细在 Excel 文件里。",
    ]
    if supervisors:
        names = "、".join(escape_markdown(name) for name in supervisors.values())
        lines.append(f"已请 {len(supervisors)} 位主管确认：{names}。给我发“确认情况”看谁还没有确认。")
    if alone:
        names = "、".join(escape_markdown(person.name) for person in alone[:20])
        more = f"等 {len(alone)} 人" if len(alone) > 20 else ""
        lines.append(f"通讯录里没有主管、没有人替他们确认的：{names}{more}。")
    lines += _remarks(report)
    lines += [f"注意：{note}" for note in notes]
    return "\n\n".join(lines)


def explanations(report: MonthReport) -> list[str]:
    """Return how the numbers came about, line by line, for the workbook."""
    absent = "旷工" if report.approvals_known else UNKNOWN_ABSENT
    return [
        f"统计 {report.first} 到 {report.last}（含头尾）的班次，跨夜的班算在开始的那一天。",
        "迟到、早退、严重迟到按钉钉考勤的判定。",
        f"{absent}：当天的班次全部没有打卡，或钉钉判为旷工；缺卡：只缺其中一次。",
        "请假、出差的那天不算缺卡和旷工；请半天假的，抵一半的打卡。小时按 8 小时一天折算成天。",
        "加班按考勤报表里的加班时长，单位小时。",
        "钉钉的考勤结果可能滞后，补卡审批通过之后数字会变；以钉钉后台为准。",
        *(f"{day} 排了班，但没有任何人打卡，当作休息日，没有统计。" for day in report.days_off),
    ]


def incident_in_words(incident: Incident, timezone: tzinfo, *, known: bool) -> str:
    """Return `10-12 迟到 12 分钟（9:12）`; `known` says that approvals are known."""
    what = incident.what if known or incident.what != ABSENT else UNKNOWN_ABSENT
    minutes = f" {incident.minutes} 分钟" if incident.minutes else ""
    clock = f"（{format_clock_time(incident.actual, timezone)}）" if incident.actual else ""
    return f"{incident.day:%m-%d} {what}{minutes}{clock}"


def format_clock_time(at: float, timezone: tzinfo) -> str:
    moment = datetime.fromtimestamp(at, timezone)
    return f"{moment.hour}:{moment.minute:02d}"


def _person_in_words(p: PersonMonth, known: bool, timezone: tzinfo) -> str:
    days = [incident_in_words(incident, timezone, known=known) for incident in p.incidents]
    incidents = "，".join(days[:_MAX_INCIDENTS]) + (f" 等 {len(days)} 次" if len(days) > _MAX_INCIDENTS else "")
    approvals = _approvals_in_words(p.totals)
    return f"**{escape_markdown(p.person.name)}**：{'；'.join(part for part in (incidents, approvals) if part)}"


def _approvals_in_words(t: Totals) -> str:
    parts = [f"{escape_markdown(name)} {format_amount(days)} 天" for name, days in t.leave.items() if days]
    parts += [f"出差外出 {format_amount(t.trip)} 天"] if t.trip else []
    parts += [f"加班 {format_amount(t.overtime)} 小时"] if t.overtime else []
    return "，".join(parts)


def _counts(t: Totals, known: bool, *, bold: bool) -> list[str]:
    def number(value: float) -> str:
        return f"**{format_amount(value)}**" if bold else format_amount(value)

    absent = f"旷工 {number(t.absent)} 天" if known else f"{UNKNOWN_ABSENT} {number(t.absent)} 天（可能是请假）"
    kinds = "、".join(
        f"{escape_markdown(name)} {format_amount(days)}" for name, days in sorted(t.leave.items()) if days
    )
    lines = [
        f"迟到 {number(t.late)} 次，严重迟到 {number(t.serious_late)} 次，早退 {number(t.early)} 次",
        f"缺卡 {number(t.missing)} 次，{absent}",
    ]
    if known:
        leave = f"请假 {number(t.leave_days)} 天{f'（{kinds}）' if kinds else ''}"
        lines.append(f"{leave}，出差外出 {number(t.trip)} 天，加班 {number(t.overtime)} 小时")
    return lines


def _one_line(t: Totals, known: bool) -> str:
    """Return all totals that are not 0, in one line."""
    parts = [
        ("迟到", t.late, "次"),
        ("严重迟到", t.serious_late, "次"),
        ("早退", t.early, "次"),
        ("缺卡", t.missing, "次"),
        ("旷工" if known else UNKNOWN_ABSENT, t.absent, "天"),
        ("请假", t.leave_days, "天"),
        ("出差外出", t.trip, "天"),
        ("加班", t.overtime, "小时"),
    ]
    return "，".join(f"{name} {format_amount(value)} {unit}" for name, value, unit in parts if value) or "没有异常"


def _remarks(report: MonthReport) -> list[str]:
    remarks = []
    if report.days_off:
        days = "、".join(f"{day:%m-%d}" for day in report.days_off)
        remarks.append(f"{days} 没有任何人打卡，当作休息日，没有统计。")
    if not report.approvals_known:
        remarks.append("这次读不到请假、出差和加班，缺卡和整天没有打卡里可能有请假的人。")
    return remarks
