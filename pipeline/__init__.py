"""The corpus: enumerates the expressions of a spec and writes them as padded TFRecords (Beam)."""
