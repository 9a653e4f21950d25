"""Full texts: how a report's retrieval stands, where a quote stands in it, and which reports are of one study."""
