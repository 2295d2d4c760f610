"""Static word vectors: texts that mean nearly the same are near each other, whatever characters they share."""

from __future__ import annotations

import numpy as np
import pytest

from faqbot.search.word_vectors import word_vectors


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("薪水", "工资", "打印机"),
        ("薪水几号到账", "工资什么时候发", "打印机没纸了"),
        ("大巴几点走", "班车几点发车", "年假有几天"),
    ],
)
def test_what_means_the_same_is_nearer_than_another_thing(text: str, near: str, far: str) -> None:
    own, same, other = word_vectors().embed([text, near, far])
    assert own @ same > own @ other + 0.3


def test_vectors_have_length_one_and_an_unknown_text_has_zeros() -> None:
    vectors = word_vectors().embed(["工资什么时候发", "", "𠮷龘", "年假"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 0, 1], abs=1e-5)


def test_a_text_has_the_same_vector_beside_others() -> None:
    texts = ["年假有几天", "", "打印机没纸了", "𠮷龘", "薪水"]
    for text, vector in zip(texts, word_vectors().embed(texts), strict=True):
        assert (word_vectors().embed([text])[0] == vector).all()


def test_words_of_everyday_questions_are_known_by_their_share() -> None:
    common, rare, unknown = word_vectors().shares_of(["怎么", "打印", "𠮷龘"])
    assert 1 > common > 0.05 > rare > unknown == 0
