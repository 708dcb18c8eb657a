"""Tokens come back as they went out, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InvalidInput
from twin.service.tokens import page_token, read_page_token, read_resume_token, resume_token


@given(st.floats(0, 1e11), st.text(max_size=20))
def test_pages(created: float, identifier: str) -> None:
    assert read_page_token(page_token(created, identifier)) == (created, identifier)


@given(st.integers(0, 2**62))
def test_resumption(sequence: int) -> None:
    token = resume_token("a", sequence)
    assert read_resume_token(token, "a") == sequence
    with pytest.raises(InvalidInput):
        read_resume_token(token, "b")
    with pytest.raises(InvalidInput):
        read_page_token(token)


@given(st.text(min_size=1, max_size=512))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        read_resume_token(token, "a")
    with pytest.raises(InvalidInput):
        read_page_token(token)


def test_none_is_the_beginning() -> None:
    assert read_resume_token("", "a") == 0
    assert read_page_token("") is None
