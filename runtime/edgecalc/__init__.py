"""A calculator that is a neural network.

>>> from edgecalc import Calculator
>>> Calculator().answer("55+49").text
'104'
"""

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
