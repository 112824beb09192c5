"""The manual page of `edgecalc`, and what shells complete of it, written from its parser.

The wheel takes them from `runtime/share`, where `python -m manual` puts them.
"""
