from math import comb, factorial, gcd, isqrt

print(pow(3, 10**6, 10**9 + 7), factorial(50), comb(100, 50), isqrt(10**40), gcd(2**64, 6**20))
print(pow(7, -1, 31), (1 << 200) // 3 ** 50, -7 // 2, -7 % 3, divmod(-7, 2))
