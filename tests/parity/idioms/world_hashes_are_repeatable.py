print({"b", "a", "c"} == {"a", "b", "c"}, hash(1), hash(2.5), hash((1, 2)), hash(2**61))
