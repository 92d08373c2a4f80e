"""A watch as a service of the user: kept up by systemd or launchd, from the login to the logout or beyond."""
