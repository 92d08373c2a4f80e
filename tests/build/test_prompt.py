"""The prompt an agent is given: header, role, overlay, in one structured text, or nothing at all."""

import pytest

from reconciler.build.prompt import Fragments, HeaderPolicy, Identity, compose
from reconciler.model.errors import ActionFailed

ALICE = Identity("alice", "agent-1", "/memory/houmao-memo.md")
OFF = HeaderPolicy(launch=False)


def body(fragments: Fragments) -> str:
    return compose(fragments, OFF, ALICE).text


def test_a_header_stands_before_the_role() -> None:
    text = compose(Fragments("You write code.\n"), HeaderPolicy(), ALICE).text
    assert text.startswith('<houmao_system_prompt version="1">\n<managed_header>\n<identity>\n')
    assert text.endswith(
        "<prompt_body>\n<role_prompt>\nYou write code.\n</role_prompt>\n</prompt_body>\n</houmao_system_prompt>"
    )
    assert "alice" in text
    assert "/memory/houmao-memo.md" in text
    order = [text.index(f"<{tag}>") for tag in ("identity", "memo_cue", "houmao_runtime_guidance", "automation_notice")]
    assert order == sorted(order)
    assert "<task_reminder>" not in text
    assert "<mail_ack>" not in text


def test_whoever_has_no_memory_is_told_of_no_memo() -> None:
    composed = compose(Fragments("You write code.\n"), HeaderPolicy(), ALICE._replace(memo_file=""))
    assert "<identity>" in composed.text
    assert "memo" not in composed.text
    assert composed.header["sections"]["memo-cue"]["rendered"] is False  # type: ignore[index,call-overload]


def test_an_overlay_is_appended() -> None:
    text = body(Fragments("Role.", "append", "More."))
    assert '<role_prompt>\nRole.\n</role_prompt>\n<launch_profile_overlay mode="append">\nMore.\n' in text


def test_an_overlay_replaces() -> None:
    text = body(Fragments("Role.", "replace", "Instead."))
    assert "Role." not in text
    assert '<launch_profile_overlay mode="replace">\nInstead.' in text


def test_a_blank_overlay_replaces_nothing() -> None:
    assert "Role." in body(Fragments("Role.", "replace", "  \n"))


def test_an_appendix_comes_last() -> None:
    text = body(Fragments("Role.", appendix="Today only."))
    assert text.index('<launch_appendix source="launch_option">') > text.index("<role_prompt>")


def test_nothing_at_all_is_the_empty_string() -> None:
    assert body(Fragments("  \n")) == ""


def test_the_whole_header_is_decided_first() -> None:
    composed = compose(Fragments("Role."), HeaderPolicy(profile=False, launch_sections={"mail-ack": True}), ALICE)
    assert "managed_header" not in composed.text
    assert composed.header["enabled"] is False
    assert composed.header["resolution_source"] == "launch_profile"
    sections = composed.header["sections"]
    assert isinstance(sections, dict)
    assert sections["mail-ack"] == {
        "tag": "mail_ack",
        "enabled": True,
        "rendered": False,
        "resolution_source": "launch_override",
        "stored_policy": None,
        "default_enabled": False,
    }


def test_a_launch_option_wins_over_the_profile() -> None:
    policy = HeaderPolicy(True, False, {"identity": False}, {"identity": True, "task-reminder": True})
    composed = compose(Fragments(""), policy, ALICE)
    assert "<identity>" not in composed.text
    assert "<task_reminder>" in composed.text
    assert composed.layout["sections"] == [{"kind": "managed_header"}]


def test_an_unknown_section_is_refused_with_the_six() -> None:
    with pytest.raises(ActionFailed) as caught:
        compose(Fragments(""), HeaderPolicy(launch_sections={"idenity": False}), ALICE)
    assert caught.value.code == "build.header_section"
    assert (
        "identity, memo-cue, houmao-runtime-guidance, automation-notice, task-reminder, mail-ack" in caught.value.hint
    )
