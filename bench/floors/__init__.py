"""The floors: programs to be measured, run as scripts and never imported. Each says what its job is."""
