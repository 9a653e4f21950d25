"""The answer of the guidance in words: JSON for machines, text for a terminal, one page to read and print."""
