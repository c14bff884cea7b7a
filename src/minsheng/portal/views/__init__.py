"""Screens of the citizen's side: filing, looking up, one's own case, rating, privacy."""
