"""Could a program start unattended with what is declared for it? Facts for a plan, from setups and credentials apart.

Either may be enough by itself: a setup that names a sign-in of its own, or a credential. What is not enough says why,
and the plan of an instance, which knows both, holds its start back. No value of a credential is read for that: which
ones there are is all a provider asks.
"""

from collections.abc import Collection

from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Tree
from reconciler.ports.bundle import Reader
from reconciler.ports.provider import Provider

FACT = "unready"
"""In a stamp: why it is not enough; not there where it is, or where that is not known."""


def provider_of(spec: JsonMap, ports: Reader) -> Provider | None:
    """The provider of a spec, where it may stop at a login screen at all."""
    name = spec.get("provider")
    provider = ports.providers.get(name) if isinstance(name, str) else None
    return provider if provider is not None and provider.asks_login else None


def of_starter(spec: JsonMap, ports: Reader) -> JsonMap:
    """What the setup that ships with the provider says, where a specialist or recipe means one of those."""
    provider, name = provider_of(spec, ports), spec.get("setupRef")
    setup = provider.setups.get(name) if provider is not None and isinstance(name, str) else None
    return {} if provider is None or setup is None else fact(provider, setup)


def fact(provider: Provider, setup: Tree, names: Collection[str] = ()) -> JsonMap:
    """The fact of a setup, or of a credential that has `names`; a setup that cannot be read is a launch's to report."""
    # The words of a build cost milliseconds, and most providers never ask for a login.
    from reconciler.model.secret import Secret
    from reconciler.ports.build import AuthMaterial, Materials

    there = {name: Secret("it is there") for name in names}
    auth = AuthMaterial("", "", there, there) if names else None
    try:
        why: Json = provider.unready(Materials("", "", setup, {}, auth, provider.adapter))
    except ReconcilerError:
        return {}
    return {} if why is None else {FACT: why}
