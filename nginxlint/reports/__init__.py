"""Reports: each format is a function of the one result of a run."""
