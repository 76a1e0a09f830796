"""The method: which steps turn a T1w scan and a model into volumes. Knows steps and names, runs nothing."""
