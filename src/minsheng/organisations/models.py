"""Where and who: places (county, street) and units (承办单位), each a tree."""
