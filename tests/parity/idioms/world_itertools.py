from itertools import chain, combinations, groupby, pairwise, permutations, product

print(list(combinations("abc", 2)), len(list(permutations(range(5)))), list(pairwise("abc")))
print([(k, len([*g])) for k, g in groupby("aabccc")], [*chain(*product("ab", repeat=2))])
