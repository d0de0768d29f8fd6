import gc

gc.callbacks.append(lambda phase, info: phase == "start" and print("collecting"))
gc.collect()
gc.callbacks.clear()
