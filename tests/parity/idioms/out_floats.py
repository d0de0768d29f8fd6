print(0.1 + 0.2, 1e16, 1e-5, 2.0, -0.0, float("inf"), float("nan"), 1 / 3, 5e-324)
print(round(2.5), round(2.675, 2), "%.10f" % (1 / 7))
