"""Providers are found by folder, imported when asked for, and by name or alias."""

import subprocess
import sys

import pytest

from reconciler.providers import canonical, discover


def loaded_after(program: str) -> set[str]:
    """The modules of `reconciler` that a fresh interpreter has loaded when the program ends."""
    script = f"import sys\n{program}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_folder_is_a_provider_of_its_name() -> None:
    found = discover()
    assert [found[name].name for name in found] == sorted(found)


def test_listing_imports_none_and_asking_imports_one() -> None:
    listed = loaded_after("from reconciler.providers import discover\nlist(discover())")
    assert not [name for name in listed if name.startswith("reconciler.providers.")]
    asked = loaded_after("from reconciler.providers import discover\ndiscover()['echo']")
    assert [name for name in asked if name.startswith("reconciler.providers.")] == ["reconciler.providers.echo"]
    assert not {"dataclasses", "importlib.metadata", "pydantic", "json.tool", "tomllib"} & asked


def test_a_name_nobody_has_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        discover()["kimi"]
    assert "kimi" not in discover()
    assert None not in discover()


@pytest.mark.parametrize(
    ("said", "name"), [("claude_code", "claude"), ("gemini_cli", "gemini"), ("echo", "echo"), ("kimi", None)]
)
def test_longer_names_are_understood(said: str, name: str | None) -> None:
    assert canonical(said, discover()) == name
