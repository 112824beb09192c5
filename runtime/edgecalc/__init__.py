"""A calculator that is a neural network.

>>> from edgecalc import Calculator
>>> Calculator().answer("55+49").text
'104'
"""

# As in `typing`, which takes longer to load than all of this package that the command needs first.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from edgecalc.calculator import Answer, Calculator
    from edgecalc.language.language import Explanation, ExpressionError
    from edgecalc.language.spec import Spec
    from edgecalc.network.model_file import ModelError
    from edgecalc.version import __version__

__all__ = [
    "Answer",
    "Calculator",
    "Explanation",
    "ExpressionError",
    "ModelError",
    "Spec",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Loads the API, and numpy with it, when it is first asked for (PEP 562).

    The command `edgecalc` begins with this package too, and must come before numpy does.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    api = import_module("edgecalc.version" if name == "__version__" else "edgecalc.calculator")
    value = globals()[name] = getattr(api, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
