"""One program with all features, run on everything that this is meant to run on."""
