"""The search for cycles is off within, and afterwards as it was before."""

import gc

import pytest

from bench.core.garbage import collection_paused


def test_it_is_off_within_and_on_again_afterwards_whatever_happens() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError), collection_paused():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_a_decorator_too() -> None:
    assert not collection_paused()(gc.isenabled)()
    assert gc.isenabled()
