"""`git+URL@ref[:path]`: what is read, and what no git ever sees."""

import pytest

from reconciler.declare.git_address import GitAddress, parse
from reconciler.model.errors import UsageFault

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("git+https://example.org/a/b.git@main", GitAddress("https://example.org/a/b.git", "main")),
        ("git+https://example.org:8443/b@v1.2:fleet/x", GitAddress("https://example.org:8443/b", "v1.2", "fleet/x")),
        ("git+ssh://git@example.org/a.git@feat/x:./a//b/", GitAddress("ssh://git@example.org/a.git", "feat/x", "a/b")),
        (f"git+file:///srv/git/a.git@{HASH}", GitAddress("file:///srv/git/a.git", HASH)),
        ("git+https://u:p%40w@example.org/a@m", GitAddress("https://example.org/a", "m", ".", "u:p%40w")),
        ("git+https://token@example.org/a@m", GitAddress("https://example.org/a", "m", ".", "token")),
        ("git+https://example.org/a@b/c@main", GitAddress("https://example.org/a@b/c", "main")),
    ],
)
def test_what_is_read(text: str, found: GitAddress) -> None:
    assert parse(text) == found
    assert parse(str(found))._replace(secret=found.secret) == found
    assert found.commit == (found.ref == HASH)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a@main",
        "git+https://example.org/a",
        "git+https://example.org@main",
        "git+http://example.org/a@main",
        "git+git://example.org/a@main",
        "git+ext::sh -c touch% /tmp/x@main",
        "git+ext://sh@main",
        "git+-uhttps://example.org/a@main",
        "git+--upload-pack=/bin/sh@main",
        "git+ssh://-oProxyCommand=touch/a@main",
        "git+ssh://git@-oProxyCommand=x/a@main",
        "git+ssh://-l@example.org/a@main",
        "git+ssh://u:p@example.org/a@main",
        "git+https://example.org/-x@main",
        "git+https://example.org/a/../b@main",
        "git+file://host/a@main",
        "git+file://u@/a@main",
        "git+https:///a@main",
        "git+https://exa mple.org/a@main",
        "git+https://example.org/a\n@main",
        "git+https://exämple.org/a@main",
        "git+https://example.org/a@",
        "git+https://example.org/a@-x",
        "git+https://example.org/a@a..b",
        "git+https://example.org/a@a^{}",
        "git+https://example.org/a@a b",
        "git+https://example.org/a@a.lock",
        "git+https://example.org/a@main:/etc",
        "git+https://example.org/a@main:../x",
        "git+https://example.org/a@main:a/../../x",
        "git+https://example.org/a@main:-x",
        "git+https://example.org/a@main:a\\b",
        "git+",
        "",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageFault) as refused:
        parse(text)
    assert (refused.value.code, refused.value.exit_code) == ("usage.git", 64)
    assert refused.value.hint


def test_a_credential_is_in_nothing_that_is_shown() -> None:
    found = parse("git+https://me:hunter2@example.org/a@main")
    assert "hunter2" not in f"{found} {found!r} {found.root} {found.at('x')!r}"
    assert found.at(HASH).secret == ""
    with pytest.raises(UsageFault) as refused:
        parse("git+https://me:hunter2@example.org/a@-x")
    assert "hunter2" not in f"{refused.value} {refused.value.hint} {refused.value.to_json()}"
