"""The house, wired together: settings, embedded database, supervisor, command line."""
