from fractions import Fraction

print(sum((Fraction(1, n) for n in range(1, 20)), Fraction()), Fraction("0.75").limit_denominator(3))
