"""A calculator that is a neural network.

>>> from edgecalc import Calculator
>>> Calculator().answer("55+49").text
'104'
"""

from edgecalc.calculator import Answer, Calculator
from edgecalc.explain import Explanation
from edgecalc.expression import ExpressionError
from edgecalc.model_file import ModelError
from edgecalc.spec import Spec
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
