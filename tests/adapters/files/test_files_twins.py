"""The disk in memory answers as the real one does, whatever is done to both in whatever order."""

import posixpath
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.errors import ReconcilerError
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import Stamp
from tests.adapters.files.world import Disk, Memory, Real

paths = st.sampled_from(["a", "b", "a/b", "a/b/c", "b/a", "l", "l/a", "a/l", "../root/b"])
targets = st.sampled_from(["a", "b", "../b", "a/b", "l", "/nowhere", "."])
inner = st.sampled_from(["a", "b/c", "b/d", "l/e", "l", "b"])
entries = st.one_of(
    st.binary(max_size=3).map(lambda data: Entry(data=data, mode=0o640)), targets.map(lambda link: Entry(link=link))
)
trees = st.dictionaries(inner, entries, max_size=4).map(Tree)
Act = Callable[[Disk], object]


def at(disk: Disk, path: str) -> str:
    return f"{disk.root}/{path}"


acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda p, d: lambda disk: disk.files.write(at(disk, p), d), paths, st.binary(max_size=3)),
    st.builds(lambda p, t: lambda disk: disk.files.link(at(disk, p), t), paths, targets),
    st.builds(
        lambda p, t, e: lambda disk: disk.files.write_tree(at(disk, p), t, e),
        paths,
        trees,
        st.lists(st.sampled_from(["empty", "vacant"]), max_size=2),
    ),
    st.builds(lambda p, t: lambda disk: disk.files.replace_tree(at(disk, p), t), paths, trees),
    st.builds(
        lambda p, t, d: lambda disk: disk.files.replace_entries(at(disk, p), t, d),
        paths,
        trees,
        st.lists(inner, max_size=2),
    ),
    st.builds(lambda p: lambda disk: disk.files.remove(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.make_dir(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.read(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.digest(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.tree_digest(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.found(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.names(at(disk, p)), paths),
    st.builds(lambda p: lambda disk: disk.files.real(at(disk, p)).removeprefix(posixpath.dirname(disk.root)), paths),
    st.builds(lambda p: lambda disk: _kind(disk.files.stamp(at(disk, p))), paths),
)


def _kind(stamp: Stamp | None) -> object:
    return stamp and (stamp.is_dir, stamp.mode, 0 if stamp.is_dir else stamp.size)


def outcome(act: Act, disk: Disk) -> object:
    """What came back, or that it was refused; the codes are the contract suite's business."""
    try:
        return act(disk)
    except ReconcilerError:
        return "refused"


@settings(max_examples=150, deadline=None)
@given(st.lists(acts, max_size=12))
def test_both_disks_tell_the_same_story(story: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "root")
        root.mkdir(mode=0o700)
        disk, memory = Real(root), Memory()
        memory.root = "/somewhere/root"
        memory.files.make_dir(memory.root)
        for number, act in enumerate(story):
            assert outcome(act, disk) == outcome(act, memory), number
            assert disk.everything() == memory.everything(), number
