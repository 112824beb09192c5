"""The language of the calculator: expressions `a OP b`, their answers, and the working between."""
