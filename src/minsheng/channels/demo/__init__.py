"""Made-up cases in Fuzhou's words, carried through their lives by the real actions, so that a demonstration has a true record."""
