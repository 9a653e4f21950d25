"""Risk of bias: instruments as data, the algorithms that propose a judgement, and what a person decides."""
