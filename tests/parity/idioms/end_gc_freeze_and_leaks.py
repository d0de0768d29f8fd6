import gc

gc.set_threshold(0)
nodes = []
for _ in range(1000):
    node = []
    node.append(node)
    nodes.append(node)
gc.freeze()
print(len(nodes))
