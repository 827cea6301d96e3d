"""What is replaced is whole at every moment, a folder too."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import RealtimeError, RequestError
from realtime.replacing import check_replaceable, replacing


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "a.zarr"
    path.mkdir()
    (path / "zarr.json").write_text("old")
    return path


def test_a_store_takes_the_place_of_one(store: Path) -> None:
    with replacing(store) as new:
        new.mkdir()
        (new / "zarr.json").write_text("new")
    assert (store / "zarr.json").read_text() == "new"
    assert list(store.parent.iterdir()) == [store]


def test_a_store_that_cannot_be_replaced_is_still_there(store: Path) -> None:
    with pytest.raises(RealtimeError, match="cannot be written"), replacing(store):
        pass  # nothing was written that could take its place
    assert (store / "zarr.json").read_text() == "old"
    assert list(store.parent.iterdir()) == [store]


def test_a_folder_that_is_no_store_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "precious").touch()
    with pytest.raises(RealtimeError), replacing(tmp_path / "a") as new:
        new.touch()
    assert (tmp_path / "a" / "precious").exists()


def test_names_that_no_file_can_have_are_refused_before_any_work(tmp_path: Path) -> None:
    check_replaceable(tmp_path / "new", "-o 'new'")
    with pytest.raises(RequestError, match=r"^-o 'long' cannot be written \(File name too long"):
        check_replaceable(tmp_path / ("n" * 300), "-o 'long'")
