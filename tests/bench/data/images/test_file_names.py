from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.data.images.file_names import group_files, merge_equal, scene_of, sequences


def test_numbers_at_the_end_and_elsewhere() -> None:
    assert sequences(["kitchen_012", "kitchen_013", "b3", "plain"]) == ["kitchen", "kitchen", "b", "plain"]
    assert sequences(["a_0001_rgb", "a_0002_rgb", "b_0001_rgb"]) == ["a_#_rgb", "a_#_rgb", "b_0001_rgb"]
    assert len(set(sequences([f"video{v}_frame{f}_left" for v in range(30) for f in range(10)]))) == 30
    assert sequences(["room0_3", "room1_3"]) == ["room0", "room1"], "the number at the end is the frame"
    assert sequences(["take1_final", "take2_final"]) == ["take#_final"] * 2


def test_what_auto_decides_is_said() -> None:
    stems = [f"{name}_{i}" for name in "abcd" for i in range(6)]
    groups, rule, notes = group_files(stems, stems, "auto", "cut-outs")
    assert (len(set(groups)), rule) == (4, "sequence")
    assert "4 groups of 24 cut-outs" in notes[0]
    assert group_files(stems[:12], stems[:12], "auto", "cut-outs")[1] == "file"
    assert group_files(stems, stems, "file", "cut-outs") == (stems, "file", [])
    assert group_files(["x_1", "x_2"], ["same", "same"], "file", "cut-outs")[0] == ["x_1", "x_1"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), max_size=20))
def test_equal_contents_join_groups(files: list[tuple[str, str]]) -> None:
    groups, contents = [group for group, _ in files], [content for _, content in files]
    merged = merge_equal(groups, contents)
    for i in range(len(files)):
        for j in range(len(files)):
            if groups[i] == groups[j] or contents[i] == contents[j]:
                assert merged[i] == merged[j]
    # Nothing else joins: the number of groups is that of the connected parts.
    links = {(f"g{group}", f"c{content}") for group, content in files}
    parts = 0
    left = {end for link in links for end in link}
    while left:
        parts += 1
        reached = {left.pop()}
        while grown := {end for link in links if reached & set(link) for end in link} - reached:
            reached |= grown
        left -= reached
    assert len(set(merged)) == parts


def test_scene_of() -> None:
    assert scene_of("a-7") == "a"
