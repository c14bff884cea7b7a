"""Measurements that anyone can repeat: `minsheng bench …`."""
