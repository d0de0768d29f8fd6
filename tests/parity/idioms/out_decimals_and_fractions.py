from decimal import Decimal
from fractions import Fraction

print(Decimal("1.10"), Decimal(1) / 7, Fraction(6, 4), [Fraction(1, 2)], Decimal("1E+3"))
