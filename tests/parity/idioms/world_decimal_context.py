from decimal import ROUND_HALF_UP, Decimal, getcontext, localcontext

getcontext().prec = 5
print(Decimal(1) / Decimal(3), Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP))
with localcontext() as context:
    context.prec = 30
    print(Decimal(2).sqrt())
