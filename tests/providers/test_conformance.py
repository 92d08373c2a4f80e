"""Every built-in provider passes the published suite."""

from reconciler.ports.provider import Provider
from reconciler.providers import discover
from reconciler.testing.conformance import ProviderConformance


class TestClaude(ProviderConformance):
    def provider(self) -> Provider:
        return discover()["claude"]


class TestCodex(ProviderConformance):
    def provider(self) -> Provider:
        return discover()["codex"]


class TestEcho(ProviderConformance):
    def provider(self) -> Provider:
        return discover()["echo"]


class TestGemini(ProviderConformance):
    def provider(self) -> Provider:
        return discover()["gemini"]


def test_none_is_forgotten() -> None:
    assert sorted(discover()) == ["claude", "codex", "echo", "gemini"]
