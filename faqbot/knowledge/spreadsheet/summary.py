"""Describes in Chinese the changes that an import would make or has made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faqbot.knowledge.spreadsheet.comparison import CellChange, ImportPlan, KnownEntry, TableEdit, TableProblem

# Nobody reads a longer list; further lines are only counted.
_MAX_LISTED = 50
_MAX_TEXT_LENGTH = 40


def summary_lines(plan: ImportPlan, *, delete_missing: bool, written: bool) -> Iterator[str]:
    """Yield lines for stdout: the counts, each new and changed entry, the missing ones, and the next step."""
    fate = "已删除" if written else "会删除"
    missing_fate = fate if delete_missing else "保留不动"
    yield (
        f"新增 {len(plan.new)} 条，修改 {len(plan.changed)} 条，没有变化 {plan.unchanged} 条，"
        f"表里没有 {len(plan.missing)} 条{f'（{missing_fate}）' if plan.missing else ''}。"
    )
    yield from _capped([_new_lines(edit) for edit in plan.new])
    yield from _capped([_changed_lines(edit) for edit in plan.changed])
    yield from _capped([[_removed_line(known, fate if delete_missing else "表里没有")] for known in plan.missing])
    if not plan.ok:
        yield "表里有问题，什么都没有写；请改好再导入。"
    elif written:
        yield "已写进知识文件。" if plan.edits or (delete_missing and plan.missing) else "没有要写的。"
    elif plan.edits or plan.missing:
        more = "" if delete_missing or not plan.missing else "；表里没有的条目要加 --delete-missing 才删除"
        yield f"这是试看，什么都没有写。确认后加 --write{more}。"


def problem_lines(problems: Sequence[TableProblem]) -> Iterator[str]:
    """Yield lines for stderr: errors before warnings, each with its row and column."""
    for is_error, word in ((True, "错误"), (False, "提醒")):
        of_kind = [t for t in problems if t.is_error is is_error]
        yield from (f"{word}：{t}" for t in of_kind[:_MAX_LISTED])
        if len(of_kind) > _MAX_LISTED:
            yield f"……还有 {len(of_kind) - _MAX_LISTED} 个{word}"


def _capped(blocks: Sequence[Sequence[str]]) -> Iterator[str]:
    for block in blocks[:_MAX_LISTED]:
        yield from block
    if len(blocks) > _MAX_LISTED:
        yield f"……还有 {len(blocks) - _MAX_LISTED} 条"


def _new_lines(edit: TableEdit) -> list[str]:
    return [f"新增 第 {edit.row} 行 {edit.file}：{_short(edit.entry.question)}"]


def _changed_lines(edit: TableEdit) -> list[str]:
    assert edit.known is not None  # else the entry is new
    return [f"修改 第 {edit.row} 行 {edit.known.file} {_short(edit.known.entry.id)}", *map(_change_line, edit.changes)]


def _change_line(change: CellChange) -> str:
    before, after = _around_the_difference(change.before, change.after)
    return f"    {change.column}：{before} → {after}"


def _removed_line(known: KnownEntry, fate: str) -> str:
    return f"{fate} {known.file} {_short(known.entry.id)}：{_short(known.entry.question)}"


def _around_the_difference(before: str, after: str) -> tuple[str, str]:
    """Cut both texts shortly before the first difference, so that it is visible."""
    pairs = enumerate(zip(before, after, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
    start = max(0, same - 10) if max(len(before), len(after)) > _MAX_TEXT_LENGTH else 0
    return _short(before, start), _short(after, start)


def _short(text: str, start: int = 0) -> str:
    excerpt = text[start : start + _MAX_TEXT_LENGTH].replace("\n", "⏎")
    if not excerpt:
        return "（空）" if not text else "…"
    return f"{'…' if start else ''}{excerpt}{'…' if len(text) > start + _MAX_TEXT_LENGTH else ''}"
