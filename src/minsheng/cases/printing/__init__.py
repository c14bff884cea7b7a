"""Paper: the 办理单 of a case and the letter to the citizen, as PDF by typst. What they say is what the case page says."""
