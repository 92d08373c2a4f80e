"""Is the provider's program on this machine? Asked once per program when its specialists and recipes are observed."""

from reconciler.engine.handler import Target
from reconciler.kinds import readiness
from reconciler.model.action import Code, Reason
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Reader


def unmet_binary(target: Target, spec: JsonMap, ports: Reader) -> tuple[Reason, ...]:
    """A missing executable is a failed precondition of every start that needs it, never a change."""
    name = spec.get("provider")
    provider = ports.providers.get(name) if isinstance(name, str) else None
    if provider is None:
        return (Reason(Code.BINARY_MISSING, f"{target.ref} needs provider {name!r}, which is not installed here"),)
    executable = provider.lookup
    if executable is None or ports.process.which(executable) is not None:
        return ()
    return (
        Reason(
            Code.BINARY_MISSING,
            f"{target.ref} needs the program {executable!r}, which is not on PATH; install it, then apply again",
            (f"{target.ref}.spec.provider",),
            (target.want.at("spec.provider") if target.want else None,),
        ),
    )


def provider_facts(target: Target, spec: JsonMap, ports: Reader) -> JsonMap:
    """What planning needs to know of the provider: can it go on with a conversation, its layout version, and whether
    the setup it ships could do without a credential."""
    del target
    name = spec.get("provider")
    provider = ports.providers.get(name) if isinstance(name, str) else None
    if provider is None:
        return {}
    return {
        "can_resume": provider.can_resume,
        "layout_version": provider.layout_version,
        **readiness.of_starter(spec, ports),
    }
