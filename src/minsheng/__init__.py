"""Minsheng (民声): one system from a ringing phone to an assessed department."""
