"""An agent's memory is read and written inside its own directory, whatever lies there and whatever is asked."""

import os
import threading
from pathlib import Path

import pytest

from reconciler.app import memory
from reconciler.app.memory import NoMemory
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.ports.files import FileRefused
from tests.requests.conftest import Scripted


def root(scripted: Scripted) -> Path:
    return Path(scripted.agent.memory_root)


def test_the_memo_is_set_appended_and_shown(scripted: Scripted) -> None:
    agent = scripted.agent
    assert memory.memo(agent)["content"] == ""

    memory.set_memo(agent, "Use tabs.\n")
    memory.append_memo(agent, "Never rebase.")
    found = memory.append_memo(agent, "Ask first.")

    assert found == {"memo_file": f"{root(scripted)}/houmao-memo.md", "content": "Use tabs.\nNever rebase.\nAsk first."}
    assert memory.memo(agent) == found


def test_pages_are_written_listed_read_and_taken_away(scripted: Scripted) -> None:
    agent = scripted.agent
    memory.write(agent, "notes/today.md", "one\n")
    memory.append(agent, "notes/today.md", "two")
    memory.append(agent, "new.md", "x")

    assert memory.read(agent, "notes/today.md") == {"path": "notes/today.md", "content": "one\ntwo"}
    assert [(entry["path"], entry["kind"]) for entry in memory.tree(agent)["entries"]] == [  # type: ignore[union-attr,call-overload,index]
        ("new.md", "file"), ("notes", "directory"), ("notes/today.md", "file"),
    ]  # fmt: skip
    assert memory.status(agent)["page_count"] == 2
    assert memory.resolve(agent, "notes/today.md")["exists"] is True
    assert memory.resolve(agent, "no.md")["exists"] is False

    assert memory.delete(agent, "notes") == {"action": "delete", "path": "notes", "deleted": True}
    assert memory.delete(agent, "new.md")["deleted"] is True
    assert memory.tree(agent)["entries"] == []
    assert (root(scripted) / "pages").is_dir()
    with pytest.raises(NoMemory):
        memory.delete(agent, "new.md")
    with pytest.raises(NoMemory):
        memory.read(agent, "new.md")


@pytest.mark.parametrize(
    "page",
    [
        "",
        ".",
        "..",
        "../memo",
        "a/../../b",
        "/etc/passwd",
        "a//b",
        "a/",
        "a\\b",
        "a\0b",
        "a\nb",
        "\x1b[31m",
        "x" * 1001,
        "./a",
    ],
    ids=repr,
)
def test_no_page_leads_out(scripted: Scripted, page: str) -> None:
    agent = scripted.agent
    for use in (memory.read, memory.resolve, memory.delete):
        with pytest.raises(UsageFault):
            use(agent, page)
    for put in (memory.write, memory.append):
        with pytest.raises(UsageFault):
            put(agent, page, "x")


def test_links_lead_nowhere(scripted: Scripted, tmp_path: Path) -> None:
    agent, pages = scripted.agent, root(scripted) / "pages"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "outside").mkdir()
    pages.mkdir(parents=True, exist_ok=True)
    (pages / "link.md").symlink_to(secret)
    (pages / "folder").symlink_to(tmp_path / "outside")

    for page in ("link.md", "folder/secret"):
        with pytest.raises((FileRefused, NoMemory)):
            memory.read(agent, page)
    with pytest.raises(ReconcilerError):
        memory.write(agent, "folder/new.md", "x")
    memory.write(agent, "link.md", "mine")  # a file in place of the link
    assert secret.read_text() == "secret"
    assert list((tmp_path / "outside").iterdir()) == []
    assert memory.read(agent, "link.md")["content"] == "mine"
    memory.delete(agent, "folder")
    assert (tmp_path / "outside").is_dir()


def test_a_memo_that_is_a_link_is_not_followed(scripted: Scripted, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    root(scripted).mkdir(parents=True, exist_ok=True)
    (root(scripted) / "houmao-memo.md").symlink_to(secret)

    with pytest.raises(FileRefused):
        memory.memo(scripted.agent)
    with pytest.raises(FileRefused):
        memory.append_memo(scripted.agent, "x")
    assert secret.read_text() == "secret"


def test_pipes_are_not_waited_for(scripted: Scripted) -> None:
    pages = root(scripted) / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pages / "pipe")

    with pytest.raises(FileRefused) as refused:
        memory.read(scripted.agent, "pipe")
    assert refused.value.code == "files.special"


def test_two_writers_of_one_page_both_write(scripted: Scripted) -> None:
    agent = scripted.agent
    texts = [f"line {number}" for number in range(8)]
    threads = [threading.Thread(target=memory.append, args=(agent, "log.md", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(str(memory.read(agent, "log.md")["content"]).split("\n")) == texts


def test_what_is_too_large_is_refused(scripted: Scripted) -> None:
    with pytest.raises(UsageFault, match="is the most"):
        memory.write(scripted.agent, "big.md", "x" * (memory.LIMIT + 1))
