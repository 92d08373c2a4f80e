"""The imperative verbs as what they ask for; nothing here looks at the world."""

from collections.abc import Iterable, Mapping

from reconciler.app.ask import Ask, Edit, Relaunch, Release, Way
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref

PLAIN = Way()


def stop(refs: Iterable[Ref], way: Way = PLAIN) -> Ask:
    """Instances that shall not run: held Stopped where a manifest says otherwise (R-IMP-4)."""
    return patch("stop", refs, {"spec": {"state": "Stopped"}}, way._replace(implied=True))


def patch(verb: str, refs: Iterable[Ref], body: JsonMap, way: Way = PLAIN) -> Ask:
    """A merge patch on each of them."""
    if not body.keys() <= {"spec", "metadata"}:
        raise UsageFault(
            f"a patch has spec and metadata, this one has {', '.join(sorted(body.keys() - {'spec', 'metadata'}))}",
            hint='write it as {"spec": {"model": "opus"}}',
            code="usage.patch",
        )
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict) or not metadata.keys() <= {"labels", "annotations"}:
        raise UsageFault("a patch of metadata has labels and annotations", code="usage.patch")
    return Ask(verb, tuple(Edit(ref, body) for ref in refs), way=way)


def settings(verb: str, refs: Iterable[Ref], values: Mapping[str, Json], way: Way = PLAIN) -> Ask:
    """`path=value` below `spec`; None takes a path away."""
    return patch(verb, refs, {"spec": nested(values)}, way)


def nested(values: Mapping[str, Json]) -> JsonMap:
    """Dotted paths as the mapping they spell."""
    body: JsonMap = {}
    for path, value in values.items():
        here = body
        *above, last = path.split(".")
        for step in above:
            below = here.setdefault(step, {})
            if not isinstance(below, dict):
                raise UsageFault(f"{path} lies below a value that is set as well", code="usage.path")
            here = below
        here[last] = value
    return body


def notes(verb: str, refs: Iterable[Ref], word: str, values: Mapping[str, str | None], way: Way = PLAIN) -> Ask:
    """`labels` or `annotations` by key; None takes one away."""
    inner: JsonMap = dict(values)
    return patch(verb, refs, {"metadata": {word: inner}}, way)


def relaunch(refs: Iterable[Ref], request: str, resume: JsonMap | None = None) -> Ask:
    """Start each anew, once for this request."""
    return Ask("relaunch", relaunch=Relaunch(request, tuple(refs), resume))


def release(refs: Iterable[Ref], paths: Iterable[str] = ()) -> Ask:
    """End overrides, and go back to what is declared."""
    return Ask("release", release=Release(tuple(refs), tuple(paths)))


def create(documents: Iterable[JsonMap], base: str = "") -> Ask:
    """New resources, in the apply set `imperative`."""
    return Ask("create", documents=tuple(documents), base=base, fresh=True)
