"""The multiverse: one data set under every defensible combination of analysis choices."""
