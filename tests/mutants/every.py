"""Every mutant there is."""

from tests.mutants import of_agents, of_the_engine, of_what_is_around
from tests.mutants.kit import MUTANTS

PARTS = (of_the_engine, of_agents, of_what_is_around)

__all__ = ["MUTANTS", "PARTS"]
