"""What sources say against each other, computed: every comparison of one question, with its arithmetic and severity."""
