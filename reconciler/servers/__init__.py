"""The two HTTP servers: a gateway per agent, and the passive server. FastAPI and uvicorn are imported here alone."""
