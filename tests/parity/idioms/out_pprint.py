from pprint import pp, pprint

pprint({"b": [1] * 30, "a": {"x": ("tuple",) * 12}})
pp({"b": 1, "a": 2})
