keep = print
globals().clear()
