"""The word lists are whole: every pattern compiles, no list stands twice, and what is no list of words is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest

from faqbot.language import vocabulary
from faqbot.language.data_files import DataNode
from faqbot.language.vocabulary import any_of, compile_any

LISTS = (
    vocabulary.builtin_synonyms,
    vocabulary.chat_marks,
    vocabulary.filler_words,
    vocabulary.wrapper_words,
    vocabulary.small_talk_words,
    vocabulary.places,
    vocabulary.contrasts,
    vocabulary.question_words,
    vocabulary.statement_words,
)


def words_in(value: object) -> Iterator[str]:
    """All words, however deep they lie."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from words_in(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from words_in(tuple(value))
        yield from words_in(tuple(value.values()))
    else:
        assert isinstance(value, tuple | frozenset)
        for one in value:
            yield from words_in(one)


@pytest.mark.parametrize("read", LISTS)
def test_every_word_is_a_pattern_that_matches_something(read) -> None:
    words = list(words_in(read()))
    assert words
    for word in words:
        assert word == word.strip() != ""
        assert re.compile(word).fullmatch("") is None


@pytest.mark.parametrize("read", LISTS)
def test_a_file_is_read_once(read) -> None:
    assert read() is read()


def test_a_synonym_leads_to_one_word_and_no_word_is_in_its_own_list_twice() -> None:
    words = [word for group in vocabulary.builtin_synonyms().groups for word in group]
    assert len(set(words)) == len(words)


def test_the_large_cities_are_places() -> None:
    places = vocabulary.places()
    assert set(places.large_cities) < set(places.names)
    assert set(places.elsewhere) < set(places.names)
    assert set(places.large_cities) < set(vocabulary.question_words().deciding)


def test_no_permission_stands_in_two_lists() -> None:
    words = vocabulary.statement_words()
    for permission in (words.forbidding, words.allowing):
        listed = (*permission.always, *permission.first_sentence, *permission.clause)
        assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    ("words", "text", "match"),
    [(("不可以", "不"), "不可以", "不可以"), (("五", "五一"), "五一", "五"), (("[休用]了",), "用了", "用了")],
)
def test_the_first_word_that_fits_is_found(words: tuple[str, ...], text: str, match: str) -> None:
    assert any_of(words) == "|".join(words)
    found = compile_any(words).search(text)
    assert found is not None and found[0] == match


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "a.yaml lacks words"),
        ([], "a.yaml is no mapping of names"),
        ({"words": {}}, "a.yaml: words is no list of words"),
        ({"words": ["对", ""]}, "a.yaml: words is no list of words"),
        ({"words": ["对", True]}, "a.yaml: words is no list of words"),
        ({"words": ["对", "错", "对"]}, "a.yaml: words has a word twice"),
    ],
)
def test_what_is_no_list_of_words_is_refused_with_its_place(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        DataNode(value, "a.yaml")["words"].words()
