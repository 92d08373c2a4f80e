"""The optional tier that runs the real vendor CLIs against the loopback model server."""
