"""A record named by its file is that file and no namesake; a bare name means the one among the records."""

import shutil
from pathlib import Path

import pytest

from bench.core.errors import BadData, BenchError
from bench.results.compare import compare
from bench.results.record_file import record_file, record_name
from bench.results.slices.slices import slices
from tests.bench.results_folder import keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two seeds of a model, and of another one in a folder below."""
    for seed in range(2):
        keep(tmp_path / "results", 0.8, seed, model="unet")
        keep(tmp_path / "results" / "tuned", 0.9, seed, model="wnet")
    return tmp_path / "results"


def file_of(folder: Path) -> Path:
    return sorted(folder.glob("*_s1_*.json"))[0]


def test_a_name_with_and_without_suffix_and_a_path_mean_the_same_file(folder: Path) -> None:
    path = file_of(folder)
    for text in (path.name, path.stem, str(path), str(path.with_suffix(""))):
        assert record_file(folder, text) == path
        assert record_name(folder, text) == path.name


@pytest.mark.parametrize(
    "text", ["unet", "unet:bce_ssim", "smp/unet/mit_b0:bce_ssim", "module:function", "1f2e3d4c5b6a"]
)
def test_what_is_no_files_name_is_left_as_it_is(folder: Path, text: str) -> None:
    assert record_file(folder, text) is None
    assert record_name(folder, text) == text


def test_a_path_that_does_not_exist_is_no_namesakes(folder: Path, tmp_path: Path) -> None:
    name = file_of(folder).name
    for gone in (tmp_path / "gone" / name, tmp_path / "gone" / file_of(folder).stem):
        with pytest.raises(BenchError, match=r"no file .*gone.*a record of that name is .*results"):
            compare(folder, str(gone), "unet")
        with pytest.raises(BenchError, match="no file"):
            slices(folder, str(gone))
    with pytest.raises(BenchError, match=r"no record called gone\.json in .*--results"):
        record_name(folder, "gone.json")


def test_a_path_into_another_folder_names_the_option(folder: Path) -> None:
    path = file_of(folder / "tuned")
    for ask in (lambda: compare(folder, str(path), "unet"), lambda: slices(folder, "unet", str(path))):
        with pytest.raises(BenchError, match=r"another folder.*--results \S*tuned"):
            ask()
    assert record_name(folder / "tuned", str(path)) == path.name


def test_a_bare_name_in_the_current_folder_is_found_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "tuned")
    with pytest.raises(BenchError, match=r"another folder.*--results \."):
        record_name(folder, file_of(folder / "tuned").name)


def test_a_path_through_a_link_is_in_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert record_name(folder, str(tmp_path / "link" / file_of(folder).name)) == file_of(folder).name


def test_a_damaged_file_is_said_although_a_namesake_is_whole(folder: Path, tmp_path: Path) -> None:
    whole = file_of(folder)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    damaged = other / whole.name
    damaged.write_text(whole.read_text()[:300])
    with pytest.raises(BadData, match=whole.stem):
        compare(other, str(damaged), "unet")
    with pytest.raises(BenchError, match="another folder"):
        compare(folder, str(damaged), "unet")


def test_a_run_that_did_not_finish_has_no_results(folder: Path) -> None:
    keep(folder, 0.8, 7, model="unet", outcome="diverged")
    with pytest.raises(BenchError, match=r"did not finish \(diverged\)"):
        compare(folder, next(folder.glob("*_s7_*.json")).name, "unet")


def test_of_two_records_of_a_run_the_one_that_counts_is_named(folder: Path) -> None:
    keep(folder, 0.8, 1, model="unet", started="2026-02-01T00:00:00+00:00")
    first, second = sorted(folder.glob("*_s1_*.json"))
    with pytest.raises(BenchError, match=f"{second.stem}.* does not count: of the same run {first.stem}.* does"):
        compare(folder, second.name, "unet")


def test_a_run_is_named_by_its_id(folder: Path) -> None:
    first, second = (keep(folder, 0.8, seed, model="unet_mask") for seed in range(2))
    by_id, by_file = (
        compare(folder, *pair) for pair in ((first.id, second.id), [*map(_named(folder), (first, second))])
    )
    assert by_id.findings == by_file.findings
    assert by_id.pairing.a == (0,)
    assert by_id.pairing.b == (1,)
    with pytest.raises(BenchError, match="no finished run 0123456789ab"):
        compare(folder, "0123456789ab", "unet")


def _named(folder: Path):
    return lambda record: next(folder.glob(f"*{record.id}*.json")).stem
