from collections import ChainMap, Counter, OrderedDict, defaultdict, deque

words = defaultdict(list)
words["a"].append(1)
print(words, Counter("hello").most_common(2), deque([1, 2, 3], 2), OrderedDict(a=1))
print(ChainMap({"a": 1}, {"b": 2})["b"])
