"""Faults as workflow commands of GitHub: each is shown beside the line it is about."""

from reconciler.cli.complain import printable
from reconciler.model.errors import Problem


def annotation(problem: Problem, level: str = "error") -> str:
    """One line; whatever the fault quotes, it stays one, and names no other command."""
    about = " ".join(text for text in (problem.ref, problem.path) if text and text not in problem.message)
    said = "\n".join(
        [problem.message, *([f"in {about}"] if about else []), *([f"hint: {problem.hint}"] if problem.hint else [])]
    )
    place = problem.position
    where = [("file", place.file), ("line", str(place.line)), ("col", str(place.column))] if place else []
    title = f"{problem.code} ({problem.rule})" if problem.rule else problem.code
    values = ",".join(f"{name}={_property(value)}" for name, value in [*where, ("title", title)])
    return f"::{level} {values}::{_data(said)}"


def _data(text: str) -> str:
    """Escaped as the runner reads it back."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
