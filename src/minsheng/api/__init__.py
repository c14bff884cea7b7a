"""`/api/v1` and Open311: thin addresses over the same actions and queries that the screens use."""
