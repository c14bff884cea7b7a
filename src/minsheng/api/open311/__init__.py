"""Open311 GeoReport v2 (http://wiki.open311.org/GeoReport_v2/), for any civic app: XML and JSON beside `/api/v1`.

What is public here is little, and decided in `queries`: nobody's words, no house number, nothing confidential.
"""
