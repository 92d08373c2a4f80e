"""A model server on the loopback interface, and the pinned vendor CLIs it is tried with."""
