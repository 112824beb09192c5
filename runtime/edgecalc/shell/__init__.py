"""The command `edgecalc`: its arguments, its prompt, and the files that it reads and writes."""
