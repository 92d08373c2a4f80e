"""What a provider brings along: it needs no declaration and has no row."""

from reconciler.model.ref import Ref


def is_starter(ref: Ref) -> bool:
    """`setupRef: default` means the provider's own starter unless one is declared."""
    return ref == Ref("Setup", "default")
