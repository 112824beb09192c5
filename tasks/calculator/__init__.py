"""The calculator: `a OP b`, its exact result, and the working that a person would write down."""
